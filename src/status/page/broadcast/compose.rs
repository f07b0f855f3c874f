//! To warn: the form, and what it would do before it is sent.

use maud::{Markup, html};

use super::{severity, title};
use crate::broadcast::message::{MAX_BODY, MAX_PAUSE_S, MAX_REPEAT, MAX_TITLE};
use crate::broadcast::{BroadcastView, Preview};
use crate::model::{Severity, Warning, WarningRefusal, WarningStatus};
use crate::starlevel::LONGEST_NAME;
use crate::status::layout::{Request, page, pill};
use crate::status::text::Text;
use crate::status::view::View;

/// What a form says: its fields, and what they mean.
#[derive(Debug, Clone)]
pub(in crate::status) struct Draft {
    /// Names and values, to be sent again with the confirmation.
    pub fields: Vec<(String, String)>,
    /// What they mean.
    pub warning: Warning,
    /// Until when, minutes; none for as long as it plays.
    pub minutes: Option<u32>,
}

/// The form; filled by the template that the address names.
pub(super) fn form(seen: &BroadcastView, ask: &Request) -> Markup {
    let lang = ask.lang;
    let chosen = seen.templates.iter().find(|template| template.name == ask.query("template"));
    let level = chosen.map_or(Severity::Yellow, |template| template.severity);
    let text = |of: fn(&crate::broadcast::Template) -> &str| chosen.map_or("", of);
    let drill = chosen.is_some_and(|template| template.name == "drill");
    html! { details.card open[chosen.is_some()] id="compose" {
        summary { (lang.pick("发布预警", "Warn people")) }
        p.filters { @for template in &seen.templates {
            a href={ (ask.with("template", &template.name)) "#compose" }
              aria-current=[chosen.is_some_and(|c| c.name == template.name).then_some("true")] {
                (lang.pick(&template.zh.title, &template.en.title))
            }
        } }
        form.fields method="post" action="/broadcast/preview" {
            (ask.form_field())
            input type="hidden" name="event" value=(text(|t| &t.event));
            label { (lang.pick("性质", "Kind")) select name="status" {
                @for (status, zh, en) in [
                    (WarningStatus::Actual, "真实预警", "real"),
                    (WarningStatus::Exercise, "演练", "drill"),
                    (WarningStatus::Test, "设备测试", "test of the equipment"),
                ] {
                    option value=(status.word())
                        selected[(status == WarningStatus::Exercise) == drill && status != WarningStatus::Test] {
                        (lang.pick(zh, en))
                    }
                }
            } }
            label { (lang.pick("级别（红色会打断其他播发）", "Level (red interrupts others)"))
                select name="severity" {
                    @for (one, zh, en) in [
                        (Severity::Red, "红色", "red"), (Severity::Orange, "橙色", "orange"),
                        (Severity::Yellow, "黄色", "yellow"), (Severity::Blue, "蓝色", "blue"),
                    ] { option value=(one.word()) selected[one == level] { (lang.pick(zh, en)) } }
                }
            }
            fieldset { legend.small.soft { (lang.pick("区域（不选为全区）", "Zones (none: the whole estate)")) }
                @if seen.zones.is_empty() { span.small { (lang.pick("未划分区域", "no zones")) } }
                @for zone in &seen.zones { label.check {
                    input type="checkbox" name={ "zone." (zone.name) } value="on";
                    " " (lang.pick(&zone.zh, &zone.en)) " (" (zone.devices) ")"
                } }
            }
            label { "标题 / title (中文)" input name="title_zh" maxlength=(MAX_TITLE / 3) value=(text(|t| &t.zh.title)) lang="zh-CN"; }
            label { "内容 / text (中文)" textarea name="body_zh" rows="3" maxlength=(MAX_BODY / 3) lang="zh-CN" { (text(|t| &t.zh.body)) } }
            label { "Title / 标题 (English)" input name="title_en" maxlength=(MAX_TITLE) value=(text(|t| &t.en.title)) lang="en"; }
            label { "Text / 内容 (English)" textarea name="body_en" rows="3" maxlength=(MAX_BODY) lang="en" { (text(|t| &t.en.body)) } }
            label { (lang.pick("播放次数", "How often it is played"))
                input type="number" name="repeat" min="1" max=(MAX_REPEAT) value="3" required; }
            label { (lang.pick("间隔（秒）", "Between two plays, seconds"))
                input type="number" name="pause_s" min="0" max=(MAX_PAUSE_S) value="15" required; }
            label { (lang.pick("持续（分钟，留空则播完为止）", "For so many minutes (empty: until it was played)"))
                input type="number" name="minutes" min="1" max="1440"; }
            label { (lang.t(Text::YourName))
                input name="by" required maxlength=(LONGEST_NAME) autocomplete="name" value=[ask.person()]; }
            button { (lang.pick("预览", "Preview")) }
        }
    } }
}

/// What it would do, and the button that does it.
pub(in crate::status) fn preview(
    view: &View,
    ask: &Request,
    draft: &Draft,
    preview: &Result<Preview, WarningRefusal>,
) -> Markup {
    let lang = ask.lang;
    let warning = &draft.warning;
    let meant = !warning.is_drill();
    let body = html! {
        p.small { a href="/broadcast" { (title(lang)) } }
        h1 { (lang.pick("发布前确认", "Before it is sent")) }
        @match preview {
            Err(why) => { p.banner.warn { (lang.words(&why.words())) } }
            Ok(preview) => {
                p { (severity(lang, warning.severity)) " "
                    @if meant { (pill("crit", lang.pick("真实预警", "real"))) }
                    @else { (pill("off", lang.pick("演练或测试", "drill or test"))) }
                }
                dl {
                    div { dt { (lang.pick("终端", "Terminals")) } dd { (preview.terminals) } }
                    div { dt { (lang.pick("信息屏", "Screens")) } dd { (preview.screens) } }
                    div { dt { (lang.pick("播放次数", "Plays")) } dd { (warning.repeat) } }
                }
                @if preview.terminals > 0 { h2 { (lang.pick("终端播报", "Terminals speak")) } p.card { (preview.speech) } }
                @if preview.screens > 0 { h2 { (lang.pick("屏幕显示", "Screens show")) } p.card { (preview.screen) } }
                form.fields method="post" action="/broadcast/send" {
                    (ask.form_field())
                    @for (name, value) in &draft.fields { input type="hidden" name=(name) value=(value); }
                    label.check {
                        input type="checkbox" name="confirm" value="yes" required;
                        " " @if meant {
                            (lang.pick("我确认这是真实预警，立即向上述范围播发", "I confirm that this is real: play it there now"))
                        } @else {
                            (lang.pick("我确认向上述范围播发", "I confirm: play it there now"))
                        }
                    }
                    button { (lang.pick("立即播发", "Send")) }
                }
            }
        }
    };
    page(view, ask, "/broadcast", title(lang), &body)
}
