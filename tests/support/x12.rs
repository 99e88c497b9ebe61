//! Remittances and claims of any length, made claim by claim: clean by their guides, and balanced.

/// Segments before the first claim of an 835, from ST on. `{total}` is the payment.
const PAYER: &str = "ST*835*0001~\nBPR*I*{total}*C*ACH*CCP*01*999999992*DA*123456*1512345678**01*999988880*DA*98765*20250310~\n\
    TRN*1*12345*1512345678~\nREF*EV*RECEIVER~\nDTM*405*20250303~\nN1*PR*SAMPLE PAYER~\nN3*1 MAIN ST~\nN4*HARTFORD*CT*06103~\n\
    PER*BL*JOHN DOE*TE*8005551212~\nN1*PE*SAMPLE CLINIC*XX*1234567893~\nREF*TJ*123456789~\nLX*1~\n";

/// One payment of 80.
const PAYMENT: &str = "CLP*CLAIM{n}*1*100*80*20*12*PAYERCLAIM{n}*11*1~\nNM1*QC*1*DOE*JANE****MI*MEMBER{n}~\nDTM*232*20250201~\n\
    DTM*050*20250210~\nSVC*HC:99213*60*50**1~\nDTM*472*20250201~\nCAS*PR*3*10~\nAMT*B6*60~\nSVC*HC:85025*40*30**1~\n\
    DTM*472*20250201~\nCAS*PR*2*10~\nAMT*B6*40~\n";

/// Segments before the first subscriber of an 837P.
const PROVIDER: &str = "ST*837*0001*005010X222A1~\nBHT*0019*00*1*20250303*1200*CH~\nNM1*41*2*SENDER*****46*123~\n\
    PER*IC*JOHN DOE*TE*8005551212~\nNM1*40*2*RECEIVER*****46*456~\nHL*1**20*1~\nNM1*85*2*SAMPLE CLINIC*****XX*1234567893~\n\
    N3*1 MAIN ST~\nN4*HARTFORD*CT*061030001~\nREF*EI*123456789~\n";

/// One subscriber with a claim of 100. `{hl}` is the number of its level.
const CLAIM: &str = "HL*{hl}*1*22*0~\nSBR*P*18*GROUP******CI~\nNM1*IL*1*DOE*JANE****MI*MEMBER{n}~\nN3*2 OAK ST~\n\
    N4*HARTFORD*CT*061030002~\nDMG*D8*19700101*F~\nNM1*PR*2*SAMPLE PAYER*****PI*PAY01~\nCLM*CLAIM{n}*100***11:B:1*Y*A*Y*Y~\n\
    HI*ABK:J020~\nLX*1~\nSV1*HC:99213*60*UN*1***1~\nDTP*472*D8*20250201~\nLX*2~\nSV1*HC:85025*40*UN*1***1~\n\
    DTP*472*D8*20250201~\n";

/// Pieces of an interchange with one set, which together hold so many claims.
#[derive(Clone)]
pub struct Made {
    functional_id: &'static str,
    version: &'static str,
    head: &'static str,
    claim: &'static str,
    claims: usize,
    next: usize,
}

/// An 835 of at least so many bytes.
pub fn remittance(bytes: usize) -> Made {
    let (functional_id, version, head, claim) = ("HP", "005010X221A1", PAYER, PAYMENT);
    Made { functional_id, version, head, claim, claims: bytes / PAYMENT.len() + 1, next: 0 }
}

/// An 837P of at least so many bytes.
pub fn claims(bytes: usize) -> Made {
    let (functional_id, version, head, claim) = ("HC", "005010X222A1", PROVIDER, CLAIM);
    Made { functional_id, version, head, claim, claims: bytes / CLAIM.len() + 1, next: 0 }
}

impl Made {
    fn start(&self) -> String {
        let envelope = format!(
            "ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *250303*1200*^*00501*000000001*0*T*:~\n\
             GS*{}*SENDER*RECEIVER*20250303*1200*1*X*{}~\n",
            self.functional_id, self.version
        );
        envelope + &self.head.replace("{total}", &(self.claims * 80).to_string())
    }

    fn end(&self) -> String {
        let segments = |text: &str| text.matches('~').count();
        let count = segments(self.head) + self.claims * segments(self.claim) + 1;
        format!("SE*{count}*0001~\nGE*1*1~\nIEA*1*000000001~\n")
    }
}

impl Iterator for Made {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let n = self.next;
        self.next += 1;
        match n {
            0 => Some(self.start()),
            n if n <= self.claims => {
                Some(self.claim.replace("{n}", &format!("{n:08}")).replace("{hl}", &(n + 1).to_string()))
            }
            n if n == self.claims + 1 => Some(self.end()),
            _ => None,
        }
    }
}
