//! An image gets labels, and stays what it is.

use std::collections::BTreeMap;

use sconce::engine::Engine as _;
use sconce::model::Image;

use super::bench::{Bench, Builder, with};
use crate::support::unique;

const DOCKERFILE: &str = "FROM BASE\nRUN echo one > /one\nENV A=b PATH=/x:$PATH\nWORKDIR /work\nVOLUME /data\n\
    EXPOSE 80\nHEALTHCHECK CMD [\"true\"]\nSTOPSIGNAL SIGINT\nUSER 7\nENTRYPOINT [\"sh\", \"-c\"]\nCMD [\"cat /one\"]\n";

async fn found(bench: &Bench, reference: &str) -> Image {
    bench.engine.find_image(reference).await.unwrap().expect(reference)
}

async fn labels_change_nothing_else(builder: Builder) {
    let bench = Bench::new(with(builder)).await;
    // A context that is sent by mistake would be seen here: it has no end.
    std::os::unix::fs::symlink("/dev/zero", bench.path().join("endless")).unwrap();
    bench.write(".dockerignore", "endless\n");
    bench.build(DOCKERFILE).await.0.unwrap();
    let plain = found(&bench, &bench.tag).await;
    // What a shell, JSON, and a Dockerfile each take for their own.
    let value = format!("{{\"a\":\"${{HOME}} $(id) `id` \\\\ ' {}\"}}", unique());
    let labels = BTreeMap::from([("dev.sconce.test".to_owned(), value.clone())]);
    let tag = format!("{}-labelled", bench.tag);
    let id = bench.engine.label(&bench.tag, &labels, &tag).await.unwrap();
    let labelled = found(&bench, &tag).await;
    assert_eq!(labelled.id, id);
    assert_ne!(labelled.id, plain.id);
    assert_eq!(labelled.content, plain.content, "nothing else is different");
    assert_eq!(labelled.content.digest(), plain.content.digest());
    assert_eq!(labelled.labels.get("dev.sconce.test"), Some(&value));
    assert!(plain.labels.iter().all(|(name, value)| labelled.labels.get(name) == Some(value)), "the others are kept");
    assert_eq!(bench.engine.label(&bench.tag, &labels, &tag).await.unwrap(), id, "once more is the same");
    assert_eq!(found(&bench, &bench.tag).await.id, plain.id, "the image itself stays");

    // The plain one goes, unless it is the builder's cache, and the labelled one lives on.
    bench.engine.untag(&bench.tag, bench.engine.info().buildkit).await.unwrap();
    assert!(bench.engine.find_image(&bench.tag).await.unwrap().is_none());
    assert_eq!(found(&bench, &tag).await.content, plain.content);
    bench.build(DOCKERFILE).await.0.unwrap();
    assert_eq!(found(&bench, &bench.tag).await.id, plain.id, "the cache gives the plain one again");
    assert_eq!(bench.engine.label(&bench.tag, &labels, &tag).await.unwrap(), id, "and of it the same labelled one");
    bench.engine.untag(&tag, true).await.unwrap();
    bench.engine.untag(&bench.tag, true).await.unwrap();
    assert!(bench.images().is_empty(), "nothing is left over: {:?}", bench.images());
}

#[tokio::test]
async fn labels_change_nothing_else_with_buildkit() {
    labels_change_nothing_else(Builder::BuildKit).await;
}

#[tokio::test]
async fn labels_change_nothing_else_with_the_classic_builder() {
    labels_change_nothing_else(Builder::Classic).await;
}

#[tokio::test]
async fn an_image_that_is_not_there_cannot_be_labelled() {
    let bench = Bench::new(with(Builder::BuildKit)).await;
    let missing = format!("localhost/sconce-test-{}", unique());
    bench.engine.label(&missing, &BTreeMap::new(), &bench.tag).await.unwrap_err();
    bench.engine.label("base\nRUN id", &BTreeMap::new(), &bench.tag).await.unwrap_err();
    assert!(bench.engine.find_image(&bench.tag).await.unwrap().is_none());
}
