//! Opening the window: which renderer, what to do when it fails, and what a missing screen means.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command as Process;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::Result;
use eframe::{egui, egui_wgpu, wgpu};

use super::app::App;
use super::{style, transport};
use crate::nn::DeviceChoice;
use crate::storage::{Places, Renderer, SettingsFile, places};
use crate::workbench::{Options, Wake, Workbench, wake_when_asked_to_end};

/// What became of the window.
pub enum Shown {
    /// It was open and has been closed.
    Closed,
    /// Another process, with the other renderer, had to show it, and left with this exit code. (On Unix that process
    /// takes the place of this one.)
    Elsewhere(u8),
    /// There is no display; the sentence says what to do.
    NoDisplay(String),
}

/// Opens the window and stays until it closes.
///
/// Where no renderer is `asked` for, the one that worked last, else wgpu, is tried, and then the other one, in a process
/// of its own because a second event loop is not allowed in this one.
pub fn open(asked: Option<Renderer>, runs: Option<PathBuf>, files: Vec<PathBuf>) -> Result<Shown> {
    let (mut settings, complaint) = settings();
    let remembered = settings.as_ref().and_then(|file| file.settings.renderer);
    let first = asked.or(remembered).unwrap_or(Renderer::Wgpu);
    if let Some(file) = &mut settings {
        file.settings.renderer = Some(first);
    }
    let failed = match run(first, settings, complaint, runs.clone(), files.clone()) {
        Ok(()) => return Ok(Shown::Closed),
        Err(error) => error,
    };
    if asked.is_none() && !no_display(&failed) {
        let other = if first == Renderer::Wgpu { "glow" } else { "wgpu" };
        let program = std::env::current_exe()?;
        let runs = runs.iter().flat_map(|runs| [OsString::from("--runs"), runs.into()]);
        let mut again = Process::new(program);
        again.args(["--renderer", other]).args(runs).args(&files);
        return instead_of_this(again);
    }
    let advice = "The commands work without a screen: see digitpad --help";
    if no_display(&failed) {
        // before the reason stands a place in somebody's source files
        let words = failed.to_string();
        let reason = words.rsplit(": ").next().unwrap_or(&words).trim_end_matches('.');
        return Ok(Shown::NoDisplay(format!("there is no display to open a window on ({reason}). {advice}")));
    }
    anyhow::bail!("the window cannot be opened: {failed}. Try --renderer glow or --renderer wgpu. {advice}")
}

/// Runs a program in place of this one, so that signals and exit codes are its own.
#[cfg(unix)]
fn instead_of_this(mut program: Process) -> Result<Shown> {
    use std::os::unix::process::CommandExt;
    Err(program.exec().into())
}

/// Runs a program and leaves with its exit code.
#[cfg(not(unix))]
fn instead_of_this(mut program: Process) -> Result<Shown> {
    let code = program.status()?.code().and_then(|code| u8::try_from(code).ok());
    Ok(Shown::Elsewhere(code.unwrap_or(1)))
}

fn settings() -> (Option<SettingsFile>, Option<String>) {
    let Some(places) = Places::of_the_system() else { return (None, None) };
    let (file, complaint) = SettingsFile::open(&places.settings_file());
    (Some(file), complaint)
}

fn no_display(error: &eframe::Error) -> bool {
    matches!(error, eframe::Error::WinitEventLoop(_) | eframe::Error::Winit(_))
}

fn run(
    renderer: Renderer,
    settings: Option<SettingsFile>,
    complaint: Option<String>,
    runs: Option<PathBuf>,
    files: Vec<PathBuf>,
) -> Result<(), eframe::Error> {
    let asked_to_end = Arc::new(AtomicBool::new(false));
    #[cfg(unix)]
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        // a system that takes no handlers ends the program as it always does
        let _unhandled = signal_hook::flag::register(signal, Arc::clone(&asked_to_end));
    }
    let create = Box::new(move |context: &eframe::CreationContext<'_>| {
        let ctx = &context.egui_ctx;
        style::install(ctx);
        if let Some(file) = &settings {
            transport::apply_theme(ctx, file.settings.theme);
        }
        let wake = ctx.clone();
        // a request without any delay is two pictures
        let wake: Wake = Arc::new(move |delay| wake.request_repaint_after(delay.max(Duration::from_millis(1))));
        wake_when_asked_to_end(Arc::clone(&asked_to_end), Arc::clone(&wake))?;
        let mut workbench = Workbench::start(Options {
            runs: places::runs_folder(runs.as_deref()).unwrap_or_else(|| PathBuf::from("runs")),
            drawings: Places::of_the_system().map(|places| places.drawings()),
            device: DeviceChoice::Auto,
            threads: None,
            wake,
            snapshot_every: Duration::from_millis(if paints_on_processor(context) { 300 } else { 100 }),
        })?;
        if let Some(places) = Places::of_the_system() {
            workbench.keep_pins_in(&places.pins_file());
        }
        let mut app = App::new(workbench, settings, asked_to_end).ok_or("the program's own presets are damaged")?;
        if let Some(complaint) = complaint {
            app.complain(&complaint);
        }
        for file in files {
            app.open(file);
        }
        let app: Box<dyn eframe::App> = Box::new(app);
        Ok(app)
    });
    eframe::run_native("digitpad", options(renderer), create)
}

/// Whether the window is painted by the processor, which a training needs too: every picture then costs tenths of a
/// second of one core.
fn paints_on_processor(context: &eframe::CreationContext<'_>) -> bool {
    if let Some(state) = &context.wgpu_render_state {
        return state.adapter.get_info().device_type == wgpu::DeviceType::Cpu;
    }
    let Some(gl) = &context.gl else { return false };
    // SAFETY: the context is current while the window is created, and a string is all that is asked for.
    let name = unsafe { eframe::glow::HasContext::get_parameter_string(&**gl, eframe::glow::RENDERER) }.to_lowercase();
    ["llvmpipe", "softpipe", "swrast", "swiftshader", "gdi generic"].iter().any(|software| name.contains(software))
}

fn options(renderer: Renderer) -> eframe::NativeOptions {
    let icon = eframe::icon_data::from_png_bytes(include_bytes!("../../assets/digitpad.png")).unwrap_or_default();
    let viewport = egui::ViewportBuilder::default()
        .with_title("Digitpad")
        .with_app_id("digitpad")
        .with_icon(icon)
        .with_inner_size([1280.0, 800.0])
        .with_min_inner_size([640.0, 400.0])
        .with_drag_and_drop(true);
    let mut options = eframe::NativeOptions {
        viewport,
        renderer: match renderer {
            Renderer::Wgpu => eframe::Renderer::Wgpu,
            Renderer::Glow => eframe::Renderer::Glow,
        },
        ..Default::default()
    };
    if let egui_wgpu::WgpuSetup::CreateNew(setup) = &mut options.wgpu_options.wgpu_setup {
        // the window leaves the strong graphics card to the training
        setup.power_preference = wgpu::PowerPreference::LowPower;
    }
    options
}
