//! The keys that a payer's answer names a claim by: what `responses` looks for, and what the store finds.

use super::record::BillingRecord;
use rust_decimal::Decimal;

/// A key to find submissions by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Key {
    /// Our ISA13 for a partner: TA101.
    InterchangeControlNumber(u32),
    /// Our GS06, and ST02 when known: AK102, AK202.
    GroupControlNumber(u32, Option<String>),
    /// Our BHT03: 277CA 2200B TRN02.
    BatchNumber(String),
    /// CLM01, exactly.
    PatientControlNumber(String),
    /// CLM01 but for what payers change of it: see [`alike`].
    PatientControlNumberAlike(String),
    /// A CLM01 that begins so (some payers cut it).
    PatientControlNumberPrefix(String),
    /// REF*D9.
    TraceNumber(String),
    /// REF*1K, CLP07, REF*F8.
    PayerClaimControlNumber(String),
    /// Who was treated and for how much: see [`member_and_charge`].
    MemberAndCharge(String),
}

/// Marks that payers leave out of numbers, or put in.
pub const MARKS: [char; 5] = ['-', ' ', '.', '_', '/'];

/// A number as it is compared: ASCII letters in capitals, without marks and leading zeros. Empty when nothing is left, which
/// names nothing. The store has an index of the same form.
pub fn alike(number: &str) -> String {
    let bare: String = number.chars().filter(|c| !MARKS.contains(c)).map(|c| c.to_ascii_uppercase()).collect();
    bare.trim_start_matches('0').to_owned()
}

/// What a claim is looked for by when its number is lost: member id and total charge, `NW00112233|140`. A reversal's charge is
/// the same turned round.
pub fn member_and_charge(member: &str, charge: Decimal) -> Option<String> {
    let member = alike(member);
    (!member.is_empty()).then(|| format!("{member}|{}", charge.abs().normalize()))
}

impl BillingRecord {
    /// What its answers may be found by when they name no number of ours.
    pub fn member_and_charge(&self) -> Option<String> {
        let members = [&self.subscriber.member_id, &self.patient.member_id];
        members.into_iter().flatten().find_map(|member| member_and_charge(member, self.total_charge))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_alike_whatever_payers_make_of_them() {
        for said in ["ACC-26.1", " acc26 1", "00ACC261", "Acc_26/1 "] {
            assert_eq!(alike(said), "ACC261", "{said}");
        }
        assert_eq!((alike("000"), alike(" - ")), (String::new(), String::new()));
    }

    #[test]
    fn the_charge_is_the_same_however_it_is_written() {
        let of = |charge: &str| member_and_charge("nw-1", charge.parse().unwrap());
        assert_eq!(of("140.00"), Some("NW1|140".into()));
        assert_eq!(of("-140"), of("140.0"));
        assert_eq!(member_and_charge(" ", Decimal::ONE), None);
    }
}
