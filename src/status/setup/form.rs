//! What the installer sees: the question for the code, the form, how far it is.

use maud::{Markup, html};

use super::{Inside, SetupForm, Stage};
use crate::model::Words;
use crate::status::layout::bare;
use crate::status::text::Lang;

/// A pair in the language of who looks.
fn t<'w>(lang: Lang, zh: &'w str, en: &'w str) -> &'w str {
    match lang {
        Lang::Zh => zh,
        Lang::En => en,
    }
}

fn other(lang: Lang) -> String {
    format!("/?lang={}", lang.other().word())
}

/// Asks for the code of the console.
pub(super) fn code(lang: Lang, refused: Option<&Words>) -> Markup {
    let title = t(lang, "首次安装", "First start");
    let body = html! {
        h1 { (title) }
        @if let Some(refused) = refused { p.banner.warn role="alert" { (lang.words(refused)) } }
        form.fields method="post" action="/code" {
            label { (t(lang, "控制台显示的一次性验证码", "The code on the console, good once"))
                input name="code" required maxlength="32" inputmode="numeric" autocomplete="one-time-code" autofocus;
            }
            button { (t(lang, "继续", "Go on")) }
        }
    };
    bare(lang, Some(&other(lang)), title, &body)
}

/// The form, or how far it is.
pub(super) fn page(lang: Lang, inside: &Inside, csrf: &str) -> Markup {
    let title = t(lang, "首次安装", "First start");
    let body = html! {
        h1 { (title) }
        @match inside.stage {
            Stage::Form => {
                @for words in &inside.told {
                    pre.banner.warn role="alert" { (lang.words(words)) }
                }
                (fields(lang, &inside.shown, csrf))
            }
            Stage::Working => {
                p { (t(lang, "正在扫描并写入，本页自动刷新", "Scanning and writing; this page renews itself")) }
                (lines(lang, &inside.told))
            }
            Stage::Done => {
                p.banner { (t(lang, "配置已就位", "The configuration is in its place")) }
                (lines(lang, &inside.told))
                p { (t(lang, "此后请使用本地页面：", "From now on use the local page: ")) code { (inside.shown.listen) } }
            }
        }
    };
    bare(lang, Some(&other(lang)), title, &body)
}

fn lines(lang: Lang, told: &[Words]) -> Markup {
    html! { ul { @for words in told { li { (lang.words(words)) } } } }
}

/// One line of text.
fn text(label: &str, name: &str, value: &str) -> Markup {
    html! {
        label { (label) input name=(name) value=(value) maxlength="256" autocapitalize="none" spellcheck="false"; }
    }
}

/// What is pasted: certificates.
fn pem(label: &str, name: &str) -> Markup {
    html! { label { (label) textarea name=(name) rows="3" spellcheck="false" {} } }
}

/// Yes, unless `no` was chosen.
fn choice(label: &str, name: &str, chosen: &str, lang: Lang) -> Markup {
    html! {
        label { (label)
            select name=(name) {
                option value="yes" selected[chosen != "no"] { (t(lang, "是", "yes")) }
                option value="no" selected[chosen == "no"] { (t(lang, "否", "no")) }
            }
        }
    }
}

fn secret(label: &str, name: &str) -> Markup {
    html! {
        label { (label) input type="password" name=(name) maxlength="1024" autocomplete="new-password"; }
    }
}

fn fields(lang: Lang, shown: &SetupForm, csrf: &str) -> Markup {
    let kinds = [("old_retrofit", "改造", "retrofitted"), ("new", "新建", "new")];
    html! {
        form.fields method="post" action="/" {
            input type="hidden" name="csrf" value=(csrf);
            h2 { (t(lang, "网关", "Gateway")) }
            (text(t(lang, "网关标识（平台内唯一）", "Name at the platform"), "id", &shown.id))
            (text(t(lang, "小区名称", "Name of the estate"), "name", &shown.name))
            label { (t(lang, "小区类型", "Kind of the estate"))
                select name="kind" {
                    @for (word, zh, en) in kinds {
                        option value=(word) selected[shown.kind == word] { (t(lang, zh, en)) }
                    }
                }
            }
            h2 { (t(lang, "现场", "Field")) }
            (text(t(lang, "串口，空格分隔，不用则 none", "Serial lines, separated by spaces, or none"), "serial", &shown.serial))
            (choice(t(lang, "扫描串口上的设备", "Scan the lines for devices"), "scan", &shown.scan, lang))
            (text(t(lang, "现场消息代理，主机:端口 或 none", "Field broker, HOST:PORT or none"), "broker", &shown.broker))
            h2 { (t(lang, "市平台", "Platform")) }
            (text(t(lang, "地址，主机 或 主机:端口，无则 none", "Address, HOST or HOST:PORT, or none"), "platform", &shown.platform))
            (choice(t(lang, "加密连接（TLS）", "Encrypted (TLS)"), "tls", &shown.tls, lang))
            (text(t(lang, "客户端标识，可留空", "Client id, may be empty"), "client_id", &shown.client_id))
            (pem(t(lang, "平台 CA 证书（PEM）", "The platform's CA (PEM)"), "ca"))
            (pem(t(lang, "网关证书（PEM）", "The gateway's certificate (PEM)"), "cert"))
            (pem(t(lang, "网关私钥（PEM）", "Its key (PEM)"), "key"))
            (text(t(lang, "用户名，可留空", "User name, may be empty"), "platform_user", &shown.platform_user))
            (secret(t(lang, "密码，可留空", "Password, may be empty"), "platform_password"))
            h2 { (t(lang, "本地页面", "Local page")) }
            (text(t(lang, "监听地址", "Address"), "listen", &shown.listen))
            (text(t(lang, "首个用户名", "First user"), "user", &shown.user))
            (secret(t(lang, "口令，至少 10 位", "Password, 10 characters or more"), "password"))
            button { (t(lang, "写入并启动", "Write and start")) }
        }
    }
}
