//! Where numbers are worked out: a device, and a pool of threads of its own for the processor.

use candle_core::Device;

use super::Operators;

/// The device that somebody asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeviceChoice {
    /// An accelerator where there is one, else the processor.
    #[default]
    Auto,
    Cpu,
    Cuda,
    Metal,
}

/// A device with the threads that feed it.
pub struct Compute {
    pub(crate) device: Device,
    pub(crate) operators: Operators,
    pub(crate) pool: rayon::ThreadPool,
    notice: Option<String>,
}

impl Compute {
    /// Opens the device and starts `threads` threads (as many as the processor runs at once, where none are named).
    ///
    /// With [`DeviceChoice::Auto`] a missing accelerator is no error: [`Compute::notice`] says what happened. A device
    /// that was named must be there.
    pub fn new(choice: DeviceChoice, threads: Option<usize>) -> anyhow::Result<Self> {
        let (device, notice) = open(choice)?;
        let available = std::thread::available_parallelism().map_or(1, usize::from);
        let pool = pool(threads.unwrap_or(available).clamp(1, 256))?;
        let operators = Operators::for_device(&device);
        Ok(Self { device, operators, pool, notice })
    }

    /// The same device with threads of its own, which step back as those of [`Compute::in_background`]: a training that
    /// rests on one of its threads keeps nobody else from computing.
    pub fn beside(&self) -> anyhow::Result<Self> {
        let pool = pool(self.threads())?;
        pool.broadcast(|_| step_back());
        Ok(Self { device: self.device.clone(), operators: self.operators, pool, notice: None })
    }

    /// As [`Compute::new`], with threads that step back when a window wants the processor.
    pub fn in_background(choice: DeviceChoice, threads: Option<usize>) -> anyhow::Result<Self> {
        let compute = Self::new(choice, threads)?;
        compute.pool.broadcast(|_| step_back());
        Ok(compute)
    }

    /// The same processor with Candle's stock operators: the path that CUDA and Metal take, as a reference.
    pub fn stock_reference() -> anyhow::Result<Self> {
        Ok(Self { operators: Operators::Stock, ..Self::new(DeviceChoice::Cpu, Some(1))? })
    }

    /// Threads of the pool.
    pub fn threads(&self) -> usize {
        self.pool.current_num_threads()
    }

    /// `cpu`, `cuda` or `metal`.
    pub fn device_id(&self) -> &'static str {
        match self.device {
            Device::Cpu => "cpu",
            Device::Cuda(_) => "cuda",
            Device::Metal(_) => "metal",
        }
    }

    /// The processor's kind and which of our kernels run on it: "x86_64 with AVX2". The same ones give the same bits.
    pub fn processor(&self) -> String {
        let kernels = if super::cpu::simd::has_avx2() { "with AVX2" } else { "portable" };
        format!("{} {kernels}", std::env::consts::ARCH)
    }

    /// As the window writes it: "CPU, 2 threads".
    pub fn describe(&self) -> String {
        match self.device {
            Device::Cpu if self.threads() == 1 => "CPU, 1 thread".to_owned(),
            Device::Cpu => format!("CPU, {} threads", self.threads()),
            Device::Cuda(_) => "CUDA".to_owned(),
            Device::Metal(_) => "Metal".to_owned(),
        }
    }

    /// What a person should know about the choice of the device.
    pub fn notice(&self) -> Option<&str> {
        self.notice.as_deref()
    }
}

/// Candle walks the graph of a batch recursively.
const STACK: usize = 16 << 20;

fn pool(threads: usize) -> Result<rayon::ThreadPool, rayon::ThreadPoolBuildError> {
    let name = |i| format!("compute-{i}");
    rayon::ThreadPoolBuilder::new().num_threads(threads).thread_name(name).stack_size(STACK).build()
}

/// Lowers the priority of the calling thread, where the system lets a thread have one of its own.
fn step_back() {
    #[cfg(target_os = "linux")]
    // SAFETY: on Linux 0 means the calling thread; the call touches no memory, and where it fails nothing changes.
    unsafe {
        libc::setpriority(libc::PRIO_PROCESS, 0, 10);
    }
    #[cfg(target_os = "macos")]
    // SAFETY: the call concerns the calling thread alone; where it fails nothing changes.
    unsafe {
        libc::pthread_set_qos_class_self_np(libc::qos_class_t::QOS_CLASS_UTILITY, 0);
    }
}

fn open(choice: DeviceChoice) -> anyhow::Result<(Device, Option<String>)> {
    type Open = fn() -> candle_core::Result<Device>;
    let accelerators: [(DeviceChoice, &str, Open, bool); 2] = [
        (DeviceChoice::Cuda, "CUDA", || Device::new_cuda(0), cfg!(feature = "cuda")),
        (DeviceChoice::Metal, "Metal", || Device::new_metal(0), cfg!(target_os = "macos")),
    ];
    let mut notice = "this program is built for the processor alone; using it".to_owned();
    for (kind, name, open, built_in) in accelerators {
        match choice {
            DeviceChoice::Auto if built_in => match open() {
                Ok(device) => return Ok((device, None)),
                Err(error) => notice = format!("no {name} device answers ({error}); using the processor"),
            },
            asked if asked == kind && !built_in => {
                anyhow::bail!("this program is built without {name}: build it for {name}, or take --device cpu")
            }
            asked if asked == kind => {
                let device = open().map_err(|error| {
                    anyhow::anyhow!(
                        "the {name} device does not answer: {error}. Take --device cpu to use the processor"
                    )
                })?;
                return Ok((device, None));
            }
            _ => {}
        }
    }
    Ok((Device::Cpu, (choice == DeviceChoice::Auto).then_some(notice)))
}
