//! Tests of the directory transport, on temporary folders.

use super::*;
use std::fs::{read, read_dir, write};
use tempfile::TempDir;

struct Payer {
    root: TempDir,
    transport: Directory,
}

impl Payer {
    fn new(change: impl FnOnce(&mut Options)) -> Payer {
        let root = TempDir::new().unwrap();
        let mut options = Options::new(root.path().join("outbound"), root.path().join("inbound"));
        options.settle = Duration::ZERO;
        change(&mut options);
        fs::create_dir_all(&options.inbound).unwrap();
        Payer { root, transport: Directory::new(options) }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    fn put(&self, name: &str, text: &str) {
        write(self.path("inbound").join(name), text).unwrap();
    }

    fn age(&self, name: &str, seconds: u64) {
        let file = OpenOptions::new().write(true).open(self.path("inbound").join(name)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(seconds)).unwrap();
    }

    async fn names(&self, limit: usize) -> Vec<String> {
        self.transport.collect(limit).await.unwrap().into_iter().map(|incoming| incoming.name).collect()
    }

    fn files(&self, folder: &str) -> Vec<String> {
        let mut names: Vec<String> = read_dir(self.path(folder))
            .map(|entries| entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect())
            .unwrap_or_default();
        names.sort();
        names
    }
}

fn outgoing(name: &str, text: &str) -> Outgoing {
    Outgoing { name: name.into(), bytes: text.as_bytes().to_vec() }
}

#[tokio::test]
async fn a_sent_file_lies_there_whole_and_alone() {
    let payer = Payer::new(|_| {});
    let interchange = outgoing("837P-000000001.x12", "ISA*1~");
    assert_eq!(payer.transport.arrived(&interchange).await, Some(false));
    assert!(matches!(payer.transport.send(&interchange).await, Ok(Sent::Delivered(replies)) if replies.is_empty()));
    assert_eq!(read(payer.path("outbound/837P-000000001.x12")).unwrap(), b"ISA*1~");
    assert_eq!(payer.files("outbound"), ["837P-000000001.x12"], "nothing hidden is left");
    assert_eq!(payer.transport.arrived(&interchange).await, Some(true));
}

#[tokio::test]
async fn the_same_again_is_delivered_and_changes_nothing() {
    let payer = Payer::new(|_| {});
    let interchange = outgoing("a.x12", "ISA*1~");
    payer.transport.send(&interchange).await.unwrap();
    let before = fs::metadata(payer.path("outbound/a.x12")).unwrap().modified().unwrap();
    payer.transport.send(&interchange).await.unwrap();
    assert_eq!(fs::metadata(payer.path("outbound/a.x12")).unwrap().modified().unwrap(), before);
}

#[tokio::test]
async fn other_bytes_under_the_name_are_never_sent() {
    let payer = Payer::new(|_| {});
    payer.transport.send(&outgoing("a.x12", "ISA*1~")).await.unwrap();
    for other in ["ISA*2~", "ISA*1~ and more"] {
        let refused = payer.transport.send(&outgoing("a.x12", other)).await;
        assert!(matches!(refused, Err(SendError::Never(_))), "{refused:?}");
    }
    assert_eq!(read(payer.path("outbound/a.x12")).unwrap(), b"ISA*1~");
}

#[tokio::test]
async fn what_the_payer_has_taken_has_arrived() {
    let payer = Payer::new(|_| {});
    let interchange = outgoing("a.x12", "ISA*1~");
    payer.transport.send(&interchange).await.unwrap();
    fs::create_dir(payer.path("outbound/taken")).unwrap();
    fs::rename(payer.path("outbound/a.x12"), payer.path("outbound/taken/a.x12")).unwrap();
    assert_eq!(payer.transport.arrived(&interchange).await, Some(true));
    payer.transport.send(&interchange).await.unwrap();
    assert_eq!(payer.files("outbound"), ["taken"], "it was not sent a second time");
}

#[tokio::test]
async fn names_that_leave_the_folder_are_refused() {
    let payer = Payer::new(|_| {});
    let long = "a".repeat(NAME_BYTES_MAX + 1);
    for name in ["", ".hidden.x12", "../a.x12", "a/b.x12", "a b.x12", "a\0.x12", &long] {
        let refused = payer.transport.send(&outgoing(name, "ISA~")).await;
        assert!(matches!(refused, Err(SendError::Never(_))), "{name:?}: {refused:?}");
    }
    payer.transport.send(&outgoing(&"a".repeat(NAME_BYTES_MAX), "ISA~")).await.unwrap();
}

#[tokio::test]
async fn an_outbound_folder_that_can_not_be_made_is_tried_again() {
    let payer = Payer::new(|options| options.outbound = options.outbound.join("sub"));
    write(payer.path("outbound"), "a file where the folder should be").unwrap();
    let failed = payer.transport.send(&outgoing("a.x12", "ISA~")).await;
    assert!(matches!(failed, Err(SendError::Retry(_))), "{failed:?}");
}

#[tokio::test]
async fn collects_oldest_first_up_to_the_limit() {
    let payer = Payer::new(|_| {});
    for (name, age) in [("new.x12", 10), ("old.EDI", 30), ("middle.txt", 20)] {
        payer.put(name, "ISA~");
        payer.age(name, age);
    }
    assert_eq!(payer.names(10).await, ["old.EDI", "middle.txt", "new.x12"]);
    assert_eq!(payer.names(2).await, ["old.EDI", "middle.txt"]);
    assert_eq!(payer.names(0).await, [""; 0]);
}

#[tokio::test]
async fn leaves_alone_what_is_not_for_us() {
    let payer = Payer::new(|_| {});
    for name in [".hidden.x12", "notes.pdf", "x12", "upload.x12.part"] {
        payer.put(name, "ISA~");
    }
    payer.put("empty.x12", "");
    fs::create_dir(payer.path("inbound/folder.x12")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("/etc/hostname", payer.path("inbound/link.txt")).unwrap();
    assert_eq!(payer.names(10).await, [""; 0]);
}

#[tokio::test]
async fn waits_until_a_file_has_settled() {
    let payer = Payer::new(|options| options.settle = Duration::from_secs(60));
    payer.put("a.x12", "ISA~");
    assert_eq!(payer.names(10).await, [""; 0], "just written");
    payer.age("a.x12", 61);
    assert_eq!(payer.names(10).await, ["a.x12"]);
}

#[tokio::test]
async fn a_growing_file_is_not_taken_and_a_clock_ahead_does_not_matter() {
    let payer = Payer::new(|options| options.settle = Duration::from_millis(40));
    let future = |name: &str| {
        let file = OpenOptions::new().write(true).open(payer.path("inbound").join(name)).unwrap();
        file.set_modified(SystemTime::now() + Duration::from_secs(3600)).unwrap();
    };
    payer.put("a.x12", "ISA*");
    future("a.x12");
    assert_eq!(payer.names(10).await, [""; 0], "first seen");
    tokio::time::sleep(Duration::from_millis(50)).await;
    payer.put("a.x12", "ISA*1~");
    future("a.x12");
    assert_eq!(payer.names(10).await, [""; 0], "it grew");
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(payer.names(10).await, ["a.x12"]);
}

#[tokio::test]
async fn a_file_at_the_size_limit_is_read_and_one_above_is_put_aside() {
    let payer = Payer::new(|options| options.bytes_max = 8);
    payer.put("at.x12", "12345678");
    payer.put("above.x12", "123456789");
    assert_eq!(payer.names(10).await, ["at.x12"]);
    assert_eq!(payer.files("inbound/refused"), ["above.x12"]);
}

#[tokio::test]
async fn one_look_reads_no_more_than_the_size_limit_in_all() {
    let payer = Payer::new(|options| options.bytes_max = 8);
    payer.put("1.x12", "12345");
    payer.age("1.x12", 20);
    payer.put("2.x12", "12345");
    payer.age("2.x12", 10);
    assert_eq!(payer.names(10).await, ["1.x12"]);
}

#[tokio::test]
async fn taken_files_are_moved_and_never_overwritten() {
    let payer = Payer::new(|_| {});
    for text in ["first", "second", "second", "third"] {
        payer.put("835.x12", text);
        let incoming = payer.transport.collect(1).await.unwrap().remove(0);
        payer.transport.taken(&incoming).await.unwrap();
        payer.transport.taken(&incoming).await.unwrap();
    }
    let taken = payer.files("inbound/taken");
    assert_eq!(taken.len(), 3, "{taken:?}");
    assert_eq!(read(payer.path("inbound/taken/835.x12")).unwrap(), b"first");
    assert_eq!(payer.names(10).await, [""; 0]);
}

#[tokio::test]
async fn a_new_file_under_the_name_of_a_taken_one_is_kept_for_the_next_look() {
    let payer = Payer::new(|_| {});
    payer.put("835.x12", "first");
    let incoming = payer.transport.collect(1).await.unwrap().remove(0);
    payer.put("835.x12", "second");
    payer.transport.taken(&incoming).await.unwrap();
    assert_eq!(payer.transport.collect(1).await.unwrap()[0].bytes, b"second");
}
