//! What servers do wrong, and that none of it reaches a final name. The servers run on this computer.

use std::io::BufRead;
use std::net::{TcpListener, TcpStream};
use std::sync::Mutex;
use std::time::Instant;

use sha2::{Digest, Sha256};

use super::*;

const QUICK: Limits = Limits { connect: Duration::from_millis(1500), silence: Duration::from_millis(1500) };

/// Four small files, unpacked.
fn contents() -> [Vec<u8>; 4] {
    let pixels = |count: usize| (0..count * 784).map(|k| (k * 13 % 256) as u8).collect::<Vec<u8>>();
    let labels = |count: usize| (0..count).map(|k| (k % 10) as u8).collect::<Vec<u8>>();
    [
        idx::encode_images(&pixels(30)),
        idx::encode_labels(&labels(30)),
        idx::encode_images(&pixels(10)),
        idx::encode_labels(&labels(10)),
    ]
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn small_source() -> Source {
    let known = &crate::data::SOURCES[0];
    let files = contents().into_iter().zip(known.files).map(|(content, file)| SourceFile {
        name: file.name,
        packed_bytes: gzip(&content).len() as u64,
        unpacked_bytes: content.len() as u64,
        sha256: idx::hex(&Sha256::digest(&content)).leak(),
    });
    Source { files: files.collect::<Vec<_>>().leak(), ..*known }
}

/// What a server does with a request for `(file name, right answer's body)`.
type Manner = fn(&str, &[u8], &mut TcpStream);

/// A server on this computer; its address is that of the folder.
fn server(manner: Manner) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/mnist/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || serve(stream, manner));
        }
    });
    address
}

fn serve(mut stream: TcpStream, manner: Manner) {
    let mut lines = std::io::BufReader::new(stream.try_clone().unwrap()).lines();
    let Some(Ok(first)) = lines.next() else { return };
    while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
    let path = first.split(' ').nth(1).unwrap_or_default().to_string();
    let name = path.rsplit('/').next().unwrap_or_default();
    let position = FILES.iter().position(|(file, _)| format!("{file}.gz") == name);
    let body = position.map(|position| gzip(&contents()[position])).unwrap_or_default();
    manner(&path, &body, &mut stream);
}

fn send(stream: &mut TcpStream, head: &str, body: &[u8]) {
    // The client may hang up early on purpose.
    let _ = stream.write_all(format!("HTTP/1.1 {head}\r\nConnection: close\r\n\r\n").as_bytes());
    let _ = stream.write_all(body);
}

fn honest(_: &str, body: &[u8], stream: &mut TcpStream) {
    send(stream, &format!("200 OK\r\nContent-Length: {}", body.len()), body);
}

fn stall(_: &str, body: &[u8], stream: &mut TcpStream) {
    send(stream, &format!("200 OK\r\nContent-Length: {}", body.len()), &body[..20]);
    std::thread::sleep(Duration::from_secs(4));
}

fn silence(_: &str, _: &[u8], _: &mut TcpStream) {
    std::thread::sleep(Duration::from_secs(4));
}

const BAD: [(&str, &str, Manner); 12] = [
    ("web page", "looks like a web page", |_, _, stream| {
        send(stream, "200 OK\r\nContent-Type: text/html", b"<!DOCTYPE html><html>Sign in to the network</html>");
    }),
    ("not found", "HTTP status 404", |_, _, stream| send(stream, "404 Not Found", b"no")),
    ("forbidden", "HTTP status 403", |_, _, stream| send(stream, "403 Forbidden", b"no")),
    ("cut, length told", "broke off", |_, body, stream| {
        send(stream, &format!("200 OK\r\nContent-Length: {}", body.len()), &body[..body.len() / 2]);
    }),
    ("cut, length not told", "cut short", |_, body, stream| send(stream, "200 OK", &body[..body.len() / 2])),
    ("length told too small", "cut short", |_, body, stream| {
        send(stream, &format!("200 OK\r\nContent-Length: {}", body.len() - 9), body);
    }),
    ("oversized", "sends more than", |_, body, stream| {
        send(stream, "200 OK", &[body, &vec![0; 300_000]].concat());
    }),
    ("other content", "sent other content", |_, _, stream| {
        let other = gzip(&idx::encode_images(&[7; 784]));
        let labels = gzip(&idx::encode_labels(&[7]));
        send(stream, "200 OK", if other.len() > labels.len() { &other } else { &labels });
    }),
    ("unpacked and cut", "cut short", |_, _, stream| send(stream, "200 OK", &contents()[0][..100])),
    ("endless redirects", "redirect", |path, _, stream| {
        send(stream, &format!("302 Found\r\nLocation: {path}"), b"");
    }),
    ("stall", "did not answer in time", stall),
    ("silence", "did not answer in time", silence),
];

fn go_on() -> FetchWatch {
    Arc::new(|_| ControlFlow::Continue(()))
}

/// Names in a folder, but for the lock.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.retain(|name| name != LOCK_NAME);
    names.sort();
    names
}

fn final_names() -> Vec<String> {
    let mut names = FILES.map(|(name, _)| format!("{name}.gz")).to_vec();
    names.sort();
    names
}

#[test]
fn an_honest_server_fills_the_folder_and_the_second_fetch_keeps_it() {
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("deep/mnist");
    let told = Arc::new(Mutex::new(Vec::new()));
    let watch: FetchWatch = {
        let told = told.clone();
        Arc::new(move |progress| {
            told.lock().unwrap().push((progress.bytes, progress.total));
            ControlFlow::Continue(())
        })
    };
    let address = server(honest);
    let fetched = fetch(&small_source(), &[&address], &inside, watch).unwrap();
    assert_eq!((fetched.fetched, fetched.kept), (4, 0));
    assert_eq!(names(&inside), final_names());
    let told = told.lock().unwrap();
    assert!(told.windows(2).all(|pair| pair[0].0 <= pair[1].0) && told.iter().all(|(bytes, total)| bytes <= total));
    assert_eq!(told.last().map(|(bytes, _)| *bytes), Some(small_source().packed_bytes()));
    std::fs::write(inside.join(final_names()[0].as_str()), "damaged").unwrap();
    let fetched = fetch(&small_source(), &[&address], &inside, go_on()).unwrap();
    assert_eq!((fetched.fetched, fetched.kept), (1, 3));
    // Nothing listens there, and nothing is asked.
    let fetched = fetch(&small_source(), &["http://127.0.0.1:1/"], &inside, go_on()).unwrap();
    assert_eq!((fetched.fetched, fetched.kept), (0, 4));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(inside.join(&final_names()[1])).unwrap().permissions().mode();
        assert_eq!(mode & 0o400, 0o400);
        assert_eq!(mode & 0o133, 0, "{mode:o}");
    }
}

#[test]
fn nothing_bad_gets_a_final_name_and_every_failure_is_told() {
    std::thread::scope(|scope| {
        for (fault, told, manner) in BAD {
            scope.spawn(move || {
                let folder = tempfile::tempdir().unwrap();
                let address = server(manner);
                let error = fetch_within(QUICK, &small_source(), &[&address], folder.path(), go_on()).unwrap_err();
                let message = error.to_string();
                assert!(matches!(error, DataError::FetchFailed { .. }), "{fault}: {message}");
                assert!(message.contains(told), "{fault}: {message}");
                assert_eq!(names(folder.path()), Vec::<String>::new(), "{fault}");
            });
        }
    });
}

#[test]
fn after_a_bad_address_the_next_one_is_tried() {
    std::thread::scope(|scope| {
        for (fault, _, manner) in BAD {
            scope.spawn(move || {
                let folder = tempfile::tempdir().unwrap();
                let addresses = [server(manner), server(honest)];
                let fetched = fetch_within(QUICK, &small_source(), &addresses, folder.path(), go_on()).unwrap();
                assert_eq!((fetched.fetched, names(folder.path())), (4, final_names()), "{fault}");
            });
        }
    });
}

#[test]
fn a_redirect_is_followed() {
    let folder = tempfile::tempdir().unwrap();
    let address = server(|path, body, stream| match path.strip_prefix("/mnist/") {
        Some(name) => send(stream, &format!("302 Found\r\nLocation: /elsewhere/{name}"), b""),
        None => honest(path, body, stream),
    });
    assert_eq!(fetch(&small_source(), &[address], folder.path(), go_on()).unwrap().fetched, 4);
}

#[test]
fn a_stop_is_obeyed_within_a_second_even_when_the_server_is_silent() {
    std::thread::scope(|scope| {
        // The last one is an address of the documentation net, where connecting never succeeds.
        for address in [server(stall), server(silence), "http://192.0.2.1/".to_string()] {
            scope.spawn(move || {
                let folder = tempfile::tempdir().unwrap();
                let start = Instant::now();
                let stop_at = Duration::from_millis(300);
                let watch: FetchWatch = Arc::new(move |_| {
                    if start.elapsed() > stop_at { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                });
                let result = fetch(&small_source(), &[&address], folder.path(), watch);
                let seconds = start.elapsed().saturating_sub(stop_at).as_secs_f64();
                if address.contains("127.0.0.1") || !matches!(result, Err(DataError::FetchFailed { .. })) {
                    assert!(matches!(result, Err(DataError::Cancelled)), "{address}: {result:?}");
                }
                assert!(seconds < 1.0, "{address}: {seconds} s");
                assert_eq!(names(folder.path()), Vec::<String>::new());
            });
        }
    });
}

#[test]
fn without_a_network_the_message_tells_how_to_bring_the_files_by_hand() {
    let folder = tempfile::tempdir().unwrap();
    let known = &crate::data::SOURCES[0];
    let error = fetch_within(QUICK, known, &["http://127.0.0.1:1/"], folder.path(), go_on()).unwrap_err();
    let message = error.to_string();
    for part in known.addresses.iter().copied().chain(known.files.iter().flat_map(|file| [file.name, file.sha256])) {
        assert!(message.contains(part), "{part} is missing in: {message}");
    }
    assert!(message.ends_with(&folder.path().display().to_string()), "{message}");
}

#[test]
fn two_fetches_into_one_folder_wait_for_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let address = server(honest);
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..3)
            .map(|_| scope.spawn(|| fetch(&small_source(), &[&address], folder.path(), go_on()).unwrap().fetched))
            .collect();
        let fetched: Vec<usize> = runs.into_iter().map(|run| run.join().unwrap()).collect();
        assert_eq!(fetched.iter().sum::<usize>(), 4, "{fetched:?}");
    });
}

#[test]
fn a_stale_lock_and_partial_files_of_a_killed_process_are_no_obstacle() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(LOCK_NAME), "").unwrap();
    std::fs::write(folder.path().join(".fetch-abc.part"), "half").unwrap();
    assert_eq!(fetch(&small_source(), &[server(honest)], folder.path(), go_on()).unwrap().fetched, 4);
    assert_eq!(names(folder.path()), final_names());
}

#[test]
fn a_folder_that_cannot_be_made_is_told_and_no_server_is_asked() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = fetch(&small_source(), &[server(honest)], &file.path().join("mnist"), go_on()).unwrap_err();
    assert!(error.to_string().starts_with("could not create the folder for data"), "{error}");
}
