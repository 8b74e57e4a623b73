//! Waiting for a server without going deaf: every wait of an HTTP exchange is cut into short slices, and between two
//! slices somebody is asked whether to go on. ureq alone would only look up when a whole timeout is over.
//!
//! Built on ureq's `unversioned` parts, which may change with its minor version.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectProxyConnector, ConnectionDetails, Connector, Either, NextTimeout, RustlsConnector, TcpConnector,
    Transport,
};
use ureq::{Agent, Error};

/// How long a wait may last before somebody is asked: half of what a person takes as "at once". A handshake over a
/// satellite takes 0.6 s, so a slice of connecting must not be much shorter.
const CONNECT_SLICE: Duration = Duration::from_millis(800);
const READ_SLICE: Duration = Duration::from_millis(200);

/// How long to wait for a server that says nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Until the name is resolved, and again until a connection stands.
    pub connect: Duration,
    /// Between two arrivals of bytes.
    pub silence: Duration,
}

/// The error that stands for "somebody said stop"; the caller, who said it, knows better than this text.
const STOPPED: &str = "stopped";

/// Asks whether to stop, and knows the limits. Cheap to clone.
#[derive(Clone)]
pub(super) struct Patience {
    pub limits: Limits,
    /// True to stop; asked at least about once a second while an exchange lasts.
    pub is_over: Arc<dyn Fn() -> bool + Send + Sync>,
}

impl fmt::Debug for Patience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Patience").field(&self.limits).finish()
    }
}

impl Patience {
    /// An agent for one exchange. Proxies are taken from the environment unless the address is this computer's own.
    pub fn agent(&self, address: &str, roots: RootCerts) -> Agent {
        let own = ["http://127.0.0.1", "http://localhost", "http://[::1]"].iter().any(|own| address.starts_with(own));
        let config = Agent::config_builder().user_agent(concat!("digitpad/", env!("CARGO_PKG_VERSION")));
        let config = config.tls_config(TlsConfig::builder().root_certs(roots).build());
        let config = if own { config.proxy(None) } else { config };
        let chain =
            ().chain(ConnectProxyConnector::default())
                .chain(PatientTcp { patience: self.clone(), tcp: TcpConnector::default() })
                .chain(RustlsConnector::default());
        Agent::with_parts(
            config.build(),
            chain,
            PatientResolver { patience: self.clone(), inner: DefaultResolver::default() },
        )
    }

    /// Repeats `attempt` with a slice of time until it gives something else than "timed out", the limit is over, or
    /// somebody says stop.
    fn wait<T>(
        &self,
        timeout: NextTimeout,
        limit: Duration,
        slice: Duration,
        mut attempt: impl FnMut(NextTimeout) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let start = Instant::now();
        let limit = limit.min(*timeout.after);
        loop {
            let left = limit.saturating_sub(start.elapsed());
            if (self.is_over)() {
                return Err(Error::Io(io::Error::other(STOPPED)));
            }
            if left.is_zero() {
                return Err(Error::Timeout(timeout.reason));
            }
            match attempt(NextTimeout { after: slice.min(left).into(), ..timeout }) {
                Err(Error::Timeout(_)) => {}
                outcome => return outcome,
            }
        }
    }
}

#[derive(Debug)]
struct PatientResolver {
    patience: Patience,
    inner: DefaultResolver,
}

impl Resolver for PatientResolver {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let limit = self.patience.limits.connect;
        self.patience.wait(timeout, limit, CONNECT_SLICE, |slice| self.inner.resolve(uri, config, slice))
    }
}

#[derive(Debug)]
struct PatientTcp {
    patience: Patience,
    tcp: TcpConnector,
}

impl<In: Transport> Connector<In> for PatientTcp {
    type Out = Either<In, PatientTransport>;

    /// Tries the server's addresses in turn, each for a whole slice, round after round: the first may be of a kind
    /// (IPv6) that this network swallows.
    fn connect(&self, details: &ConnectionDetails<'_>, chained: Option<In>) -> Result<Option<Self::Out>, Error> {
        if let Some(tunnel) = chained {
            return Ok(Some(Either::A(tunnel)));
        }
        let mut addresses = details.addrs.iter().cycle();
        let mut refusals = 0;
        let limit = self.patience.limits.connect;
        let connected = self.patience.wait(details.timeout, limit, CONNECT_SLICE, |slice| {
            let mut addrs = details.resolver.empty();
            if let Some(address) = addresses.next() {
                addrs.push(*address);
            }
            let one = ConnectionDetails {
                uri: details.uri,
                addrs,
                config: details.config,
                request_level: details.request_level,
                resolver: details.resolver,
                now: ureq::unversioned::transport::time::Instant::now(),
                timeout: slice,
                current_time: details.current_time.clone(),
                run_connector: details.run_connector.clone(),
                register_shutdown: details.register_shutdown.clone(),
            };
            match Connector::<()>::connect(&self.tcp, &one, None) {
                Err(Error::Io(_)) if refusals + 1 < details.addrs.len() => {
                    refusals += 1;
                    Err(Error::Timeout(slice.reason))
                }
                outcome => outcome,
            }
        })?;
        let patience = self.patience.clone();
        Ok(connected.map(|inner| Either::B(PatientTransport { patience, inner: inner.boxed() })))
    }
}

#[derive(Debug)]
struct PatientTransport {
    patience: Patience,
    inner: Box<dyn Transport>,
}

impl Transport for PatientTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    /// Requests without a body fit into the system's buffer, so sending does not wait.
    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let limit = self.patience.limits.silence.min(*timeout.after);
        self.inner.transmit_output(amount, NextTimeout { after: limit.into(), ..timeout })
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let limit = self.patience.limits.silence;
        self.patience.wait(timeout, limit, READ_SLICE, |slice| self.inner.await_input(slice))
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}
