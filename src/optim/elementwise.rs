//! Updates of one value from others at the same place, written into the first tensor.

use candle_core::{CpuStorage, InplaceOp3, Layout, Result, Tensor, Var, bail};

/// `a ← f(a, b, c)` on the processor, in one pass over memory.
struct Update<F>(F);

fn range(storage: &CpuStorage, layout: &Layout) -> Result<(usize, usize)> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(_), Some(range)) => Ok(range),
        _ => bail!("an update needs contiguous f32 values"),
    }
}

impl<F: Fn(f32, f32, f32) -> f32> InplaceOp3 for Update<F> {
    fn name(&self) -> &'static str {
        "update"
    }

    fn cpu_fwd(
        &self,
        a: &mut CpuStorage,
        a_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
        c: &CpuStorage,
        c_layout: &Layout,
    ) -> Result<()> {
        let ((a0, a1), (b0, b1), (c0, c1)) = (range(a, a_layout)?, range(b, b_layout)?, range(c, c_layout)?);
        match (a, b, c) {
            (CpuStorage::F32(a), CpuStorage::F32(b), CpuStorage::F32(c))
                if a1 - a0 == b1 - b0 && b1 - b0 == c1 - c0 =>
            {
                for ((a, b), c) in a[a0..a1].iter_mut().zip(&b[b0..b1]).zip(&c[c0..c1]) {
                    *a = (self.0)(*a, *b, *c);
                }
                Ok(())
            }
            _ => bail!("an update needs three tensors of one size"),
        }
    }
}

/// `a ← on_cpu(a, b, c)`, value by value; on other devices `a ← stock(a, b, c)` with Candle's operators.
pub(super) fn update(
    a: &Var,
    b: &Tensor,
    c: &Tensor,
    on_cpu: impl Fn(f32, f32, f32) -> f32,
    stock: impl Fn(&Tensor, &Tensor, &Tensor) -> Result<Tensor>,
) -> Result<()> {
    if a.device().is_cpu() {
        a.as_tensor().inplace_op3(&b.contiguous()?, &c.contiguous()?, &Update(on_cpu))
    } else {
        a.set(&stock(&a.as_detached_tensor(), b, c)?)
    }
}

/// Zeros like every parameter, to remember something of each.
pub(super) fn zeros_like(params: &[Var]) -> Result<Vec<Var>> {
    params.iter().map(|p| Var::from_tensor(&p.as_tensor().zeros_like()?)).collect()
}

/// The values of named slots, `slot.0`, `slot.1`, ….
pub(super) fn save(slot: &str, vars: &[Var]) -> Result<Vec<(String, Vec<f32>)>> {
    let values = |(i, var): (usize, &Var)| Ok((format!("{slot}.{i}"), var.as_tensor().flatten_all()?.to_vec1()?));
    vars.iter().enumerate().map(values).collect()
}

/// Writes saved values back into the slots. Fails where one is missing or of another size.
pub(super) fn load(slot: &str, vars: &[Var], state: &[(String, Vec<f32>)]) -> Result<()> {
    for (i, var) in vars.iter().enumerate() {
        let name = format!("{slot}.{i}");
        let Some((_, values)) = state.iter().find(|(n, _)| *n == name) else {
            bail!("the optimiser's state lacks {name}");
        };
        if values.len() != var.elem_count() {
            bail!("{name} of the optimiser's state has {} values, expected {}", values.len(), var.elem_count());
        }
        var.set(&Tensor::from_slice(values, var.shape(), var.device())?)?;
    }
    Ok(())
}
