//! Tests of the HTTPS transport over TLS: whom we trust, and how we show who we are.

use super::*;
use rcgen::{BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use std::sync::Arc;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// An authority, and a folder with its certificate.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

impl Authority {
    fn new() -> Authority {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Authority { issuer, folder }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    fn certificate(&self, host: &str) -> (Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        (CertificateParams::new([host.to_owned()]).unwrap().signed_by(&key, &self.issuer).unwrap(), key)
    }

    /// A PEM file with a client's certificate and key.
    fn identity(&self) -> PathBuf {
        let (certificate, key) = self.certificate("claimgate");
        let file = self.folder.path().join("identity.pem");
        std::fs::write(&file, format!("{}{}", certificate.pem(), key.serialize_pem())).unwrap();
        file
    }

    /// A payer that shows a certificate for `host`, and asks for one of ours when `asks`.
    async fn payer(&self, host: &str, asks: bool) -> String {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (certificate, key) = self.certificate(host);
        let builder = if asks {
            let mut roots = RootCertStore::empty();
            roots.add(self.issuer.der().clone()).unwrap();
            ServerConfig::builder()
                .with_client_cert_verifier(WebPkiClientVerifier::builder(roots.into()).build().unwrap())
        } else {
            ServerConfig::builder().with_no_client_auth()
        };
        let chain: Vec<CertificateDer<'static>> = vec![certificate.der().clone()];
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        serve(TlsAcceptor::from(Arc::new(builder.with_single_cert(chain, key).unwrap()))).await
    }
}

/// Answers every request with 200.
async fn serve(acceptor: TlsAcceptor) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}/", listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
            let _ = stream.shutdown().await;
        }
    });
    url
}

async fn send(url: &str, authorities: &Authority, identity: Option<PathBuf>) -> Result<Sent, SendError> {
    let options = Options { authorities: Some(authorities.file()), identity, ..Options::new(url) };
    let transport = Https::new(options, Clock::System).unwrap();
    transport.send(&Outgoing { name: "a.x12".into(), bytes: b"ISA~".to_vec() }).await
}

#[tokio::test]
async fn a_payer_of_a_trusted_authority_is_believed() {
    let authority = Authority::new();
    let url = authority.payer("localhost", false).await;
    assert!(matches!(send(&url, &authority, None).await, Ok(Sent::Delivered(_))));
}

#[tokio::test]
async fn another_authority_or_another_name_is_not_believed_and_nothing_is_sent() {
    let (ours, other) = (Authority::new(), Authority::new());
    for (payer, host) in [(&other, "localhost"), (&ours, "payer.example")] {
        let url = payer.payer(host, false).await;
        let refused = send(&url, &ours, None).await.unwrap_err();
        assert!(matches!(&refused, SendError::Retry(reason) if reason.contains("certificate")), "{host}: {refused:?}");
    }
}

#[tokio::test]
async fn we_show_our_certificate_to_a_payer_that_asks() {
    let authority = Authority::new();
    let url = authority.payer("localhost", true).await;
    assert!(matches!(send(&url, &authority, Some(authority.identity())).await, Ok(Sent::Delivered(_))));
    assert!(send(&url, &authority, None).await.is_err(), "without a certificate we are not let in");
}
