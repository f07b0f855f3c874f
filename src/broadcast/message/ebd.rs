//! The data packet EBD of the Chinese emergency broadcast, with an EBM inside, and our answers.
//!
//! The texts of GD/J 082 and 087 and of GB/T 35965 were not available. Names and nesting are those
//! that public implementations share; **assumed**, as they use it: `MsgType` 1 asks to play and 2
//! cancels; times are of China; result codes 1 (taken), 2 (not to be read), 3 (incomplete), 4
//! (signature), 5 (others); states of a broadcast 1 (waits), 2 (plays), 3 (played), 4 (failed), 5
//! (cancelled).

use roxmltree::{Document, Node};

use super::json::{USUAL_PAUSE_S, cleaned};
use super::text::{add_zone, id_of, shortened};
use super::xml::{child, escaped, required, text};
use super::{MAX_NAME, MAX_REPEAT, Message, Unread, time};
use crate::model::{
    ReceiptCounts, Severity, Warning, WarningId, WarningRefusal, WarningSource, WarningStatus,
    WarningText,
};

/// Digits of the identifier of a packet: 2 type, 18 source, 16 sequence.
const EBD_ID: usize = 36;
/// Digits of the identifier of a resource.
pub const RESOURCE_ID: usize = 18;
/// The only version that is known.
const VERSION: &str = "1.0";

/// The head of a packet, as its answer needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ebd {
    /// Its identifier, 36 digits.
    pub id: String,
    /// Who sent it: 18 digits; may be empty.
    pub source: String,
}

/// How a broadcast stands, for the answer to a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BroadcastState {
    /// It waits for its turn.
    Waiting,
    /// It is on the air.
    Playing,
    /// It was played.
    Played,
    /// No terminal played it.
    Failed,
    /// It was cancelled.
    Cancelled,
}

impl BroadcastState {
    fn code(self) -> u8 {
        match self {
            Self::Waiting => 1,
            Self::Playing => 2,
            Self::Played => 3,
            Self::Failed => 4,
            Self::Cancelled => 5,
        }
    }

    fn zh(self) -> &'static str {
        match self {
            Self::Waiting => "等待播发",
            Self::Playing => "播发中",
            Self::Played => "播发成功",
            Self::Failed => "播发失败",
            Self::Cancelled => "播发取消",
        }
    }
}

/// Reads a packet.
///
/// # Errors
/// It is incomplete, of another version, or carries nothing for us.
pub(super) fn read(document: &Document<'_>) -> Result<(Ebd, Message), Unread> {
    let root = document.root_element();
    if let Some(other) = text(root, "EBDVersion").filter(|version| *version != VERSION) {
        return Err(Unread::malformed(format!("EBDVersion is `{other}`, known is {VERSION}")));
    }
    let id = required(root, "EBDID")?;
    if id.len() != EBD_ID || !id.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Unread::malformed(format!("EBDID `{id}` has not {EBD_ID} digits")));
    }
    let source = child(root, "SRC").and_then(|source| text(source, "EBRID")).unwrap_or_default();
    let ebd = Ebd { id: id.to_owned(), source: shortened(source, MAX_NAME) };
    let message = match required(root, "EBDType")? {
        "EBM" => ebm(inner(root, "EBM")?)?,
        "EBMStateRequest" => {
            let request = inner(root, "EBMStateRequest")?;
            let ebm = child(request, "EBM").unwrap_or(request);
            Message::State(id_of(required(ebm, "EBMID")?)?)
        }
        "ConnectionCheck" => Message::Here,
        other => {
            let detail = format!("EBDType `{other}` is not for playing");
            return Err(Unread::new(WarningRefusal::NotForPlaying, detail));
        }
    };
    Ok((ebd, message))
}

fn inner<'a, 'i>(root: Node<'a, 'i>, name: &'static str) -> Result<Node<'a, 'i>, Unread> {
    child(root, name).ok_or_else(|| Unread::malformed(format!("<EBD> has no <{name}>")))
}

fn ebm(ebm: Node<'_, '_>) -> Result<Message, Unread> {
    let text_id = required(ebm, "EBMID")?;
    let id = WarningId::new(text_id).ok().filter(WarningId::is_ebm);
    let Some(id) = id else {
        return Err(Unread::malformed(format!("EBMID `{text_id}` has neither 30 nor 35 digits")));
    };
    content(ebm, &id).map_err(|unread| unread.of(&id))
}

fn content(ebm: Node<'_, '_>, id: &WarningId) -> Result<Message, Unread> {
    let info = child(ebm, "MsgBasicInfo")
        .ok_or_else(|| Unread::malformed("<EBM> has no <MsgBasicInfo>"))?;
    let sender = text(info, "SenderName").or_else(|| text(info, "SenderCode"));
    let sender = shortened(sender.unwrap_or_default(), MAX_NAME);
    let related = child(ebm, "RelatedInfo").and_then(|related| text(related, "EBMID"));
    let related = related.map(id_of).transpose()?;
    let replaces = match required(info, "MsgType")? {
        "1" => Vec::from_iter(related),
        "2" => {
            let refers = vec![related.unwrap_or_else(|| id.clone())];
            return Ok(Message::Cancel { refers, by: sender });
        }
        other => return Err(Unread::malformed(format!("MsgType is `{other}`, known are 1 and 2"))),
    };
    let severity = text(info, "Severity").map_or(Ok(Severity::Unknown), |code| {
        code.parse().ok().and_then(Severity::of_code).ok_or_else(|| {
            Unread::malformed(format!("Severity is `{code}`, known are 0, 1, 2, 3, 4 and 15"))
        })
    })?;
    let said =
        child(ebm, "MsgContent").ok_or_else(|| Unread::malformed("<EBM> has no <MsgContent>"))?;
    let moment = |name| text(info, name).map(time::civil).transpose();
    let test = severity == Severity::Test;
    let mut warning = Warning {
        id: id.clone(),
        source: WarningSource::Ebm,
        sender,
        status: if test { WarningStatus::Test } else { WarningStatus::Actual },
        severity,
        event: shortened(text(info, "EventType").unwrap_or_default(), MAX_NAME),
        sent_ms: moment("SendTime")?,
        start_ms: moment("StartTime")?,
        end_ms: moment("EndTime")?,
        zones: Vec::new(),
        zh: WarningText::default(),
        en: WarningText::default(),
        repeat: repeat(said),
        pause_s: USUAL_PAUSE_S,
    };
    let separator = |c: char| c.is_whitespace() || ",;，；、".contains(c);
    for code in text(said, "AreaCode").unwrap_or_default().split(separator) {
        add_zone(&mut warning.zones, code)?;
    }
    let title = text(said, "MsgTitle").unwrap_or_default().to_owned();
    let body = text(said, "MsgDesc").unwrap_or_default().to_owned();
    let said_text = cleaned(&WarningText { title, body });
    if said_text.is_empty() {
        return Err(Unread::malformed("it says nothing: no <MsgTitle> and no <MsgDesc>"));
    }
    let language = text(said, "LanguageCode").unwrap_or("zho").to_ascii_lowercase();
    match language.starts_with("en") {
        true => warning.en = said_text,
        false => warning.zh = said_text,
    }
    Ok(Message::Warn { warning: Box::new(warning), replaces })
}

/// Some senders say how often it is to be played.
fn repeat(content: Node<'_, '_>) -> u16 {
    let said = text(content, "Repeat").and_then(|text| text.parse().ok());
    said.unwrap_or(1).clamp(1, MAX_REPEAT)
}

/// What became of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResultCode {
    /// It was taken.
    Taken,
    /// It was refused.
    Refused(WarningRefusal),
}

impl ResultCode {
    fn code(self) -> u8 {
        match self {
            Self::Taken => 1,
            Self::Refused(WarningRefusal::Malformed) => 2,
            Self::Refused(WarningRefusal::Unsigned | WarningRefusal::WrongSignature) => 4,
            Self::Refused(_) => 5,
        }
    }
}

/// Who answers, and with which number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answering<'a> {
    /// Our resource id, 18 digits.
    pub source: &'a str,
    /// Counts our packets.
    pub sequence: u64,
    /// Now, milliseconds since 1970.
    pub now_ms: i64,
}

fn packet(ours: &Answering<'_>, to: &Ebd, kind: &str, inside: &str) -> String {
    // Sixteen digits: the sequence begins anew when they are used up.
    let sequence = ours.sequence % 10_000_000_000_000_000;
    let (source, time) = (ours.source, time::written(ours.now_ms));
    let (dest, related) = (escaped(&to.source), &to.id);
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<EBD><EBDVersion>{VERSION}\
         </EBDVersion><EBDID>10{source:0>18}{sequence:016}</EBDID><EBDType>{kind}</EBDType><SRC>\
         <EBRID>{source}</EBRID></SRC><DEST><EBRID>{dest}</EBRID></DEST><EBDTime>{time}</EBDTime>\
         <RelatedEBD><EBDID>{related}</EBDID></RelatedEBD>{inside}</EBD>\n"
    )
}

/// The answer to any packet.
pub fn response(ours: &Answering<'_>, to: &Ebd, result: ResultCode) -> String {
    let told = match result {
        ResultCode::Taken => "接收成功".to_owned(),
        ResultCode::Refused(why) => why.words().zh,
    };
    let (code, told) = (result.code(), escaped(&told));
    let inside = format!(
        "<EBDResponse><ResultCode>{code}</ResultCode><ResultDesc>{told}</ResultDesc></EBDResponse>"
    );
    packet(ours, to, "EBDResponse", &inside)
}

/// The answer to a question how a broadcast stands.
pub fn state_response(
    ours: &Answering<'_>,
    to: &Ebd,
    id: &WarningId,
    state: BroadcastState,
    counts: &ReceiptCounts,
) -> String {
    let rate = f64::from(counts.acknowledged) / f64::from(counts.addressed.max(1));
    let (code, told, time) = (state.code(), state.zh(), time::written(ours.now_ms));
    let inside = format!(
        "<EBMStateResponse><RptTime>{time}</RptTime><EBM><EBMID>{id}</EBMID></EBM><BrdStateCode>\
         {code}</BrdStateCode><BrdStateDesc>{told}</BrdStateDesc><Coverage><CoverageRate>{rate:.2}\
         </CoverageRate></Coverage></EBMStateResponse>"
    );
    packet(ours, to, "EBMStateResponse", &inside)
}
