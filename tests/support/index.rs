//! A private package index on loopback: HTTPS by an authority that nobody knows, and nothing without the password.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// The one wheel that the index has.
const WHEEL: &[u8] = include_bytes!("../fixtures/sconce_probe-1.0-py3-none-any.whl");
const WHEEL_NAME: &str = "sconce_probe-1.0-py3-none-any.whl";

/// A running index; it stops with the runtime that it was started on.
pub(crate) struct PrivateIndex {
    pub(crate) address: SocketAddr,
    /// The authority's certificate, PEM.
    pub(crate) authority: String,
    served: Arc<Mutex<Vec<String>>>,
}

impl PrivateIndex {
    /// Starts an index that wants `user` and `password`.
    pub(crate) async fn start(user: &str, password: &str) -> Self {
        let (config, authority) = tls();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port on loopback");
        let address = listener.local_addr().expect("an address");
        let served = Arc::new(Mutex::new(Vec::new()));
        let expected = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let log = Arc::clone(&served);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, expected, log) = (acceptor.clone(), expected.clone(), Arc::clone(&log));
                tokio::spawn(async move {
                    // A client that refuses the certificate ends here: that is its right, and the test sees it there.
                    let _ = answer(acceptor, stream, &expected, &log).await;
                });
            }
        });
        Self { address, authority, served }
    }

    /// Its host and port: by name, since pip cannot verify an address.
    pub(crate) fn host(&self) -> String {
        format!("localhost:{}", self.address.port())
    }

    /// The paths that were served to clients who knew the password.
    pub(crate) fn served(&self) -> Vec<String> {
        self.served.lock().expect("no test panics while it holds this").clone()
    }

    /// Writes the authority's certificate to `path`, with those that this machine's network needs besides it.
    pub(crate) fn write_authority(&self, path: &Path, besides: Option<&Path>) {
        let besides = besides.map(|path| std::fs::read_to_string(path).expect("a readable bundle")).unwrap_or_default();
        std::fs::write(path, format!("{besides}\n{}", self.authority)).expect("a writable folder");
    }
}

fn tls() -> (ServerConfig, String) {
    let mut authority = CertificateParams::new(Vec::new()).expect("no names");
    // With the name that every certificate has by default, the server's would look as if it had signed itself.
    authority.distinguished_name.push(DnType::CommonName, "An authority that nobody knows");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    // Python 3.13 verifies strictly (RFC 5280): an authority must say what its key is for.
    authority.key_usages = vec![rcgen::KeyUsagePurpose::KeyCertSign, rcgen::KeyUsagePurpose::CrlSign];
    let authority_key = KeyPair::generate().expect("a key");
    let authority_certificate = authority.self_signed(&authority_key).expect("a certificate");
    let issuer = Issuer::new(authority, authority_key);
    let mut server = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
    server.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate().expect("a key");
    let certificate = server.signed_by(&key, &issuer).expect("a certificate");
    let chain: Vec<CertificateDer<'static>> = vec![certificate.der().clone()];
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a PKCS#8 key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("TLS 1.2 and 1.3")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("a key that fits");
    (config, authority_certificate.pem())
}

async fn answer(
    acceptor: TlsAcceptor,
    stream: TcpStream,
    expected: &str,
    served: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut stream = acceptor.accept(stream).await?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < 64 * 1024 {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let authorized = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .any(|(name, value)| name.eq_ignore_ascii_case("authorization") && value.trim() == expected);
    let (status, kind, body) = if !authorized {
        ("401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"index\"", "text/plain", b"who are you?".to_vec())
    } else if path.ends_with(WHEEL_NAME) {
        ("200 OK", "application/octet-stream", WHEEL.to_vec())
    } else if path.starts_with("/simple/sconce-probe") {
        let page = format!("<!DOCTYPE html><html><body><a href=\"/files/{WHEEL_NAME}\">{WHEEL_NAME}</a></body></html>");
        ("200 OK", "text/html", page.into_bytes())
    } else {
        ("404 Not Found", "text/plain", b"not here".to_vec())
    };
    if authorized {
        served.lock().expect("no test panics while it holds this").push(path);
    }
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(&body).await?;
    stream.shutdown().await
}
