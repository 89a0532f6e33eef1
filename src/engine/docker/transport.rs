//! The one way to the engine: HTTP/1.1 over a Unix socket, TCP, TLS or `ssh`, for bollard and for our own requests alike.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bollard::ClientVersion;
use bollard::errors::Error as Engine;
use bytes::Bytes;
use futures_util::Stream;
use http_body_util::{Either, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{HeaderMap, HeaderValue};
use hyper::{Request, Response, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;

use super::endpoint::Endpoint;
use super::{ssh, tls};
use crate::model::Result;

/// How long a machine has to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// What bollard waits for an answer's first byte, uploads included: as good as for ever, since builds and imports take
/// what they take, and the cancellation token stops them.
const REQUEST_TIMEOUT_SECONDS: u64 = 7 * 24 * 3600;

/// The host of a request whose connection needs none.
pub(super) const LOCAL: &str = "localhost";

/// A request's body, of the type that bollard's requests have.
pub(super) type Body = Either<Full<Bytes>, StreamBody<Pin<Box<dyn Stream<Item = io::Result<Frame<Bytes>>> + Send>>>>;

/// A client of one engine. Clones share their connections.
#[derive(Debug, Clone)]
pub(super) struct Transport {
    client: Client<Connector, Body>,
    authority: String,
    /// The negotiated API version, which every request then names.
    api: Option<String>,
}

impl Transport {
    /// A client of the engine at `endpoint`; nothing is dialled yet.
    pub(super) fn new(endpoint: &Endpoint) -> Result<Self> {
        let tls = match endpoint {
            Endpoint::Tls { files, .. } => Some(tls::connector(files)?),
            _ => None,
        };
        let authority = match endpoint {
            Endpoint::Tcp { host, port } | Endpoint::Tls { host, port, .. } => format!("{host}:{port}"),
            Endpoint::Unix(_) | Endpoint::Ssh(_) => LOCAL.to_owned(),
        };
        // A local connection costs nothing, and a fresh one can never turn out to have been closed; `ssh` logs in anew.
        let idle = if matches!(endpoint, Endpoint::Unix(_)) { 0 } else { 4 };
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(30))
            .pool_max_idle_per_host(idle)
            .build(Connector { endpoint: Arc::new(endpoint.clone()), tls });
        Ok(Self { client, authority, api: None })
    }

    /// The same client, whose requests name the API version `version`. Bollard 0.21 leaves it out of its paths, and the
    /// engine would then answer in its own newest version.
    pub(super) fn with_api(self, version: &ClientVersion) -> Self {
        Self { api: Some(version.to_string()), ..self }
    }

    /// Sends a request; only its path and query matter. An answer `101` can be upgraded with [`hyper::upgrade::on`], which
    /// keeps the bytes that follow it.
    pub(super) fn request(
        &self,
        request: Request<Body>,
    ) -> impl Future<Output = Result<Response<Incoming>, Engine>> + Send + use<> {
        let client = self.client.clone();
        let request = self.address(request);
        async move { client.request(request?).await.map_err(Engine::from) }
    }

    /// Bollard's client over this transport.
    pub(super) fn bollard(&self) -> Result<bollard::Docker, Engine> {
        let transport = self.clone();
        bollard::Docker::connect_with_custom_transport(
            move |request| transport.request(request),
            Some(format!("http://{LOCAL}")),
            REQUEST_TIMEOUT_SECONDS,
            bollard::API_DEFAULT_VERSION,
        )
    }

    fn address(&self, mut request: Request<Body>) -> Result<Request<Body>, Engine> {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        let version = self.api.as_ref().map(|api| format!("/v{api}")).unwrap_or_default();
        *request.uri_mut() = format!("http://{}{version}{path}", self.authority).parse::<Uri>()?;
        url_safe(request.headers_mut());
        Ok(request)
    }
}

/// Registry credentials travel in URL-safe base64 (RFC 4648, section 5). Bollard 0.21 writes the standard alphabet, which
/// engines read as no credentials at all.
fn url_safe(headers: &mut HeaderMap) {
    for name in ["x-registry-auth", "x-registry-config"] {
        let Some(value) = headers.get_mut(name) else { continue };
        let safe = value.to_str().map(|text| text.replace('+', "-").replace('/', "_"));
        if let Some(mut safe) = safe.ok().and_then(|safe| HeaderValue::from_str(&safe).ok()) {
            safe.set_sensitive(true);
            *value = safe;
        }
    }
}

/// Opens connections to the endpoint, whatever the request's URI.
#[derive(Clone)]
struct Connector {
    endpoint: Arc<Endpoint>,
    tls: Option<TlsConnector>,
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Connector({})", self.endpoint)
    }
}

impl tower_service::Service<Uri> for Connector {
    type Response = TokioIo<Wire>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let connector = self.clone();
        Box::pin(async move {
            let dial = connector.dial();
            let wire = tokio::time::timeout(CONNECT_TIMEOUT, dial).await.map_err(io::Error::from)??;
            Ok(TokioIo::new(wire))
        })
    }
}

impl Connector {
    async fn dial(&self) -> io::Result<Wire> {
        Ok(match &*self.endpoint {
            Endpoint::Unix(path) => Wire(Box::new(UnixStream::connect(path).await?)),
            Endpoint::Ssh(target) => Wire(Box::new(ssh::dial(target)?)),
            Endpoint::Tcp { host, port } => Wire(Box::new(tcp(host, *port).await?)),
            Endpoint::Tls { host, port, .. } => {
                let tls = self.tls.as_ref().ok_or_else(|| io::Error::other("TLS was not set up"))?;
                let name = ServerName::try_from(bare(host).to_owned()).map_err(io::Error::other)?;
                Wire(Box::new(tls.connect(name, tcp(host, *port).await?).await?))
            }
        })
    }
}

async fn tcp(host: &str, port: u16) -> io::Result<TcpStream> {
    let stream = TcpStream::connect((bare(host), port)).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// A host as resolvers take it: an IPv6 address without its brackets.
fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

/// An open connection.
struct Wire(Box<dyn Duplex>);

trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

impl Connection for Wire {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addressed(endpoint: &Endpoint, request: hyper::http::request::Builder) -> Request<Body> {
        let version = ClientVersion { major_version: 1, minor_version: 41 };
        let transport = Transport::new(endpoint).unwrap().with_api(&version);
        transport.address(request.body(Either::Left(Full::new(Bytes::new()))).unwrap()).unwrap()
    }

    #[test]
    fn a_request_names_the_negotiated_version() {
        let endpoint = Endpoint::Tcp { host: "[::1]".to_owned(), port: 2375 };
        let request = addressed(&endpoint, Request::get("http://anywhere/images/json?all=true"));
        assert_eq!(request.uri().to_string(), "http://[::1]:2375/v1.41/images/json?all=true");
    }

    #[test]
    fn registry_credentials_travel_in_url_safe_base64() {
        let endpoint = Endpoint::Unix("/run/docker.sock".into());
        let request = Request::post("/images/create").header("X-Registry-Auth", "ab+/cd==");
        assert_eq!(addressed(&endpoint, request).headers()["x-registry-auth"], "ab-_cd==");
    }
}
