//! The command line on acknowledgments and on payers' own checks.

use std::path::Path;
use std::process::{Command, Output};

const CLAIM: &str =
    "ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *250303*1200*^*00501*000000001*0*T*:~
GS*HC*SENDER*RECEIVER*20250303*1200*7*X*005010X222A1~
ST*837*0001*005010X222A1~
BHT*0019*00*B*20250303*1200*CH~
NM1*41*2*CLEARING HOUSE*****46*1X~
PER*IC*DESK*TE*5551234567~
NM1*40*2*PAYER*****46*P1~
HL*1**20*1~
NM1*85*2*CLINIC*****XX*1234567890~
N3*1 MAIN ST~
N4*TOWN*NY*100011234~
REF*EI*123456789~
HL*2*1*22*0~
SBR*P*18*******CI~
NM1*IL*1*DOE*JOHN****MI*123~
N3*1 ELM ST~
N4*TOWN*NY*100011234~
DMG*D8*19800101*M~
NM1*PR*2*PAYER*****PI*999~
CLM*A1*100***11:B:7*Y*A*Y*Y~
HI*ABK:J020~
LX*1~
SV1*HC:99213*100*UN*1***1~
DTP*472*D8*20250303~
SE*23*0001~
GE*1*7~
IEA*1*000000001~
";

fn claimgate(folder: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_claimgate"));
    command.current_dir(folder).args(words).env("NO_COLOR", "1");
    command.env_remove("CLAIMGATE_CORPUS").env_remove("CLAIMGATE_PYX12");
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn what_ack_writes_is_read_back_on_the_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("claim.x12"), CLAIM).unwrap();
    let answer = claimgate(folder.path(), &["x12", "ack", "claim.x12"]);
    let told = text(&answer.stdout);
    assert!(
        told.contains("IK3*REF*18*2300*I6~") && told.contains("CTX*SITUATIONAL TRIGGER*CLM*18*2300*5:3~"),
        "{told}"
    );
    std::fs::write(folder.path().join("999.x12"), &answer.stdout).unwrap();

    let read = claimgate(folder.path(), &["x12", "ack", "--read", "999.x12", "claim.x12"]);
    let said = text(&read.stderr);
    assert_eq!(read.status.code(), Some(1), "{said}");
    assert!(said.contains("line 20, set 0001, loop 2300, segment 18, REF"), "{said}");

    let json = claimgate(folder.path(), &["x12", "ack", "--read", "999.x12", "--json", "claim.x12"]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    let at = &json["issues"][0]["at"]["x12"];
    assert_eq!(
        (&json["accepted"], &at["errorCode"], &at["trigger"]["segment"]),
        (&false.into(), &"I6".into(), &"CLM".into())
    );

    std::fs::write(folder.path().join("good.x12"), CLAIM.replace("11:B:7", "11:B:1")).unwrap();
    let answer = claimgate(folder.path(), &["x12", "ack", "good.x12"]);
    std::fs::write(folder.path().join("999.x12"), &answer.stdout).unwrap();
    let read = claimgate(folder.path(), &["x12", "ack", "--read", "999.x12", "good.x12"]);
    assert_eq!((read.status.code(), text(&read.stdout).trim()), (Some(0), "good.x12: accepted"));
}

#[test]
fn a_payer_takes_the_checks_as_its_profile_says() {
    let folder = tempfile::tempdir().unwrap();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings");
    copy(&shipped, &folder.path().join("mappings"));
    std::fs::write(folder.path().join("claim.x12"), CLAIM).unwrap();
    let profile = folder.path().join("mappings/payers/northwind/payer.yaml");
    let yaml = std::fs::read_to_string(&profile).unwrap();
    let with =
        |checks: &str| std::fs::write(&profile, yaml.replace("checks: {}", &format!("checks: {checks}"))).unwrap();

    let plain = text(&claimgate(folder.path(), &["validate", "claim.x12"]).stderr);
    assert!(
        plain.contains("error CG-1505 (original-reference)") && plain.contains("warning CG-1506 (npi-form)"),
        "{plain}"
    );
    with("{ original-reference: off, npi-form: error }");
    let strict = claimgate(folder.path(), &["validate", "--payer", "northwind", "claim.x12"]);
    let said = text(&strict.stderr);
    assert!(!said.contains("original-reference") && said.contains("error CG-1506 (npi-form)"), "{said}");
    with("{ original-reference: warning }");
    let relaxed = claimgate(folder.path(), &["validate", "--payer", "northwind", "claim.x12"]);
    assert_eq!(relaxed.status.code(), Some(0), "{}", text(&relaxed.stderr));
    let answer = text(&claimgate(folder.path(), &["x12", "ack", "--payer", "northwind", "claim.x12"]).stdout);
    assert!(answer.contains("IK5*A~") && answer.contains("AK9*A*1*1*1~"), "{answer}");

    with("{ no-such-check: off }");
    let mistaken = claimgate(folder.path(), &["validate", "--payer", "northwind", "claim.x12"]);
    let said = text(&mistaken.stderr);
    assert!(said.contains("payer.yaml:") && said.contains("`no-such-check` is no check"), "{said}");
    with("{ npi-form: loud }");
    let mistaken = claimgate(folder.path(), &["validate", "--payer", "northwind", "claim.x12"]);
    assert!(text(&mistaken.stderr).contains("is not understood"));
    let unknown = claimgate(folder.path(), &["validate", "--payer", "nobody", "claim.x12"]);
    assert_ne!(unknown.status.code(), Some(0));
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy(&entry.path(), &target),
            false => _ = std::fs::copy(entry.path(), target).unwrap(),
        }
    }
}

#[test]
fn whole_code_lists_are_read_from_their_folder() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("codes")).unwrap();
    std::fs::write(folder.path().join("codes/icd-10-cm.txt"), "J0390   Acute tonsillitis, unspecified\n").unwrap();
    std::fs::write(folder.path().join("claim.x12"), CLAIM).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_claimgate"));
    command.current_dir(folder.path()).args(["validate", "claim.x12"]).env("CLAIMGATE_CODES_DIR", "codes");
    command.env_remove("CLAIMGATE_CORPUS").env_remove("CLAIMGATE_PYX12");
    let said = text(&command.output().unwrap().stderr);
    assert!(said.contains("(diagnosis-form)") && said.contains("HI01-2"), "{said}");
}
