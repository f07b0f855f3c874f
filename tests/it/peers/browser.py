"""A browser on the pages of a gateway, as the staff have it: Chromium, driven by Playwright.

    browser.py look URL FOLDER            every page in both languages, on phone and desktop
    browser.py settings URL FOLDER        logs in, is locked out, edits the configuration
    browser.py act URL FOLDER             alarms, a warning, an order and charts of a running demo

Prints what it saw, a line each; ends with 1 and a list of faults when something is not as it should.
Screenshots lie in FOLDER.
"""

import json
import pathlib
import shutil
import sys
import time
from urllib.parse import urlsplit

import axe_playwright_python
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import sync_playwright

AXE = (pathlib.Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
WIDTHS = {"phone": (390, 844), "desktop": (1280, 900)}
# Most bytes of a page with everything that it names, as they came over the wire.
MOST_WIRE = 150_000
# Layout shift that nobody notices.
MOST_SHIFT = 0.02

faults = []


def fault(where, what):
    faults.append(f"{where}: {what}")
    print(f"FAULT {where}: {what}", flush=True)


def browser(play):
    return play.chromium.launch(
        executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
    )


def watch(page, origin, where):
    """Notes what a page says on the console and asks of others, and adds up what it takes."""
    seen = {"bytes": 0}
    page.on("console", lambda m: m.type == "error" and fault(where(), f"console: {m.text}"))
    page.on("pageerror", lambda e: fault(where(), f"script: {e}"))
    page.on(
        "request",
        lambda r: urlsplit(r.url).scheme in ("http", "https")
        and urlsplit(r.url).netloc != origin
        and fault(where(), f"asks {r.url}"),
    )

    def took(request):
        sizes = request.sizes()
        seen["bytes"] += sizes["responseBodySize"] + sizes["responseHeadersSize"]

    page.on("requestfinished", took)
    return seen


def paths(page, url):
    """The pages of the menu, and one of each kind that they lead to."""
    page.goto(url)
    menu = [a.get_attribute("href") for a in page.query_selector_all("nav a")]
    found = list(dict.fromkeys(menu))
    for start in list(found):
        page.goto(url + start)
        inner = [a.get_attribute("href") for a in page.query_selector_all("main a[href^='/']")]
        kinds = {}
        for href in inner:
            parts = href.split("?")[0].split("#")[0].strip("/").split("/")
            if len(parts) == 2 and not parts[1].endswith((".csv", ".pcapng", ".txt", ".json")):
                kinds.setdefault(parts[0], href.split("#")[0])
        found += [href for href in kinds.values() if href not in found]
    return found


def look(play, url, folder):
    origin = urlsplit(url).netloc
    chromium = browser(play)
    first = chromium.new_page()
    list_of = paths(first, url)
    first.close()
    print("pages:", " ".join(list_of))
    texts = {}
    for width, (w, h) in WIDTHS.items():
        for scheme in ("light", "dark"):
            context = chromium.new_context(
                viewport={"width": w, "height": h}, color_scheme=scheme, locale="zh-CN"
            )
            context.add_init_script(
                "window.__shift = 0; new PerformanceObserver(l => l.getEntries().forEach(e => "
                "window.__shift += e.hadRecentInput ? 0 : e.value))"
                ".observe({type: 'layout-shift', buffered: true});"
            )
            page = context.new_page()
            at = {"where": ""}
            seen = watch(page, origin, lambda: at["where"])
            for lang in ("zh", "en"):
                # The dark look is the same in both languages.
                if scheme == "dark" and lang == "en":
                    continue
                for path in list_of:
                    at["where"] = f"{path} {lang} {width} {scheme}"
                    seen["bytes"] = 0
                    joint = "&" if "?" in path else "?"
                    answer = page.goto(f"{url}{path}{joint}lang={lang}", wait_until="load")
                    check(page, answer, at["where"], lang, seen, w)
                    name = path.strip("/").replace("/", "_").replace("?", "_") or "overview"
                    page.screenshot(
                        path=str(folder / f"{name}-{lang}-{width}-{scheme}.png"), full_page=True
                    )
                    if scheme == "light":
                        texts.setdefault((path, width), {})[lang] = page.inner_text("main")
            context.close()
    for (path, width), said in texts.items():
        if said["zh"] == said["en"]:
            fault(f"{path} {width}", "says the same in both languages")
    without_script(chromium, url, list_of, texts)
    chromium.close()


def check(page, answer, where, lang, seen, width):
    drawn(page, where)
    if answer is None or answer.status != 200:
        fault(where, f"status {answer and answer.status}")
    want = {"zh": "zh-CN", "en": "en"}[lang]
    if page.get_attribute("html", "lang") != want:
        fault(where, f"is not in {want}")
    wide = page.evaluate("document.documentElement.scrollWidth")
    if wide > width:
        fault(where, f"is {wide} pixels wide, the window {width}")
    shift = page.evaluate("window.__shift")
    if shift > MOST_SHIFT:
        fault(where, f"moves while it is loaded: {shift:.3f}")
    if len(page.query_selector_all("h1")) != 1:
        fault(where, "has not one h1")
    accessible(page, where)
    if seen["bytes"] > MOST_WIRE:
        fault(where, f"takes {seen['bytes']} bytes on the wire")
    # With the keyboard: the first stops are links or fields, and one sees where one is.
    page.keyboard.press("Tab")
    shown = page.evaluate(
        "(() => { const e = document.activeElement; const s = getComputedStyle(e);"
        " return e === document.body ? 'nothing' : s.outlineStyle; })()"
    )
    if shown in ("none", "nothing"):
        fault(where, f"shows no focus ({shown})")
    print(f"{where}: {seen['bytes']} bytes, shift {shift:.3f}", flush=True)


def accessible(page, where):
    page.evaluate(AXE)
    result = page.evaluate("axe.run(document, {resultTypes: ['violations', 'passes']})")
    if len(result["passes"]) < 10:
        fault(where, f"axe looked at next to nothing: {len(result['passes'])} rules passed")
    for one in result["violations"]:
        if one["impact"] in ("serious", "critical"):
            nodes = "; ".join(node["html"][:160] for node in one["nodes"][:2])
            fault(where, f"axe {one['id']} ({one['impact']}): {one['help']}: {nodes}")


def comes(page, expression, seconds, argument=None):
    """Whether an expression becomes true in time. The page's own rules forbid it to be waited for
    within the page, where it would be a script of a stranger."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if page.evaluate(expression, argument):
                return True
        except PlaywrightError:
            pass  # The page is being left for another.
        page.wait_for_timeout(100)
    return False


def drawn(page, where):
    """Every chart of the page is drawn, or says that there is nothing."""
    every = (
        "[...document.querySelectorAll('[data-chart]')]"
        ".every(p => p.dataset.drawn || p.querySelector('.empty'))"
    )
    if not comes(page, every, 15):
        fault(where, "does not draw its charts")


def without_script(chromium, url, list_of, texts):
    context = chromium.new_context(java_script_enabled=False, locale="zh-CN")
    page = context.new_page()
    for path in list_of:
        joint = "&" if "?" in path else "?"
        page.goto(f"{url}{path}{joint}lang=zh")
        said = page.inner_text("main")
        if len(said) < 0.5 * len(texts[(path, "desktop")]["zh"]):
            fault(f"{path} without scripts", "says less than half")
    context.close()


def settings(play, url, folder):
    """Expects the users `anna` (maintainer) and `vera` (viewer), passwords as below."""
    chromium = browser(play)
    context = chromium.new_context(locale="zh-CN", ignore_https_errors=True)
    page = context.new_page()

    def log_in(name, password):
        page.goto(f"{url}/login?lang=en")
        page.fill("input[name=name]", name)
        page.fill("input[name=password]", password)
        page.click("main button")

    log_in("vera", "a viewer's long password")
    page.goto(f"{url}/settings?lang=en")
    if "may not" not in page.inner_text("body") and "role" not in page.inner_text("body"):
        fault("settings", "a viewer sees them: " + page.inner_text("body")[:200])
    context.clear_cookies()
    log_in("anna", "a maintainer's long password")
    page.goto(f"{url}/settings?lang=en")
    page.screenshot(path=str(folder / "settings.png"), full_page=True)
    # The link is there, and what it leads to is a packed file.
    bundle = page.get_attribute("a[href='/api/v1/support-bundle']", "href")
    packed = page.request.get(url + bundle, timeout=120_000)
    print("bundle:", packed.status, len(packed.body()), "bytes")
    if packed.status != 200 or packed.body()[:4] != b"\x28\xb5\x2f\xfd":
        fault("settings", f"the bundle for support is none: {packed.status} {packed.body()[:200]}")
    page.click("a[href^='/settings/configuration']")
    right = page.input_value("textarea")
    page.fill("textarea", right.replace("[gateway]", "[gateway]\nnmae = 3"))
    page.click("button[value=check]")
    said = page.inner_text("section.state")
    print("wrong:", json.dumps(said))
    if "nmae" not in said or "name" not in said:
        fault("settings", f"the wrong key is not named with the right one: {said}")
    page.click("a[data-line]")
    chosen = page.evaluate(
        "(() => { const t = document.querySelector('textarea');"
        " return t.value.slice(t.selectionStart, t.selectionEnd); })()"
    )
    if chosen != "nmae = 3":
        fault("settings", f"the fault leads to {chosen!r}")
    page.screenshot(path=str(folder / "settings-wrong.png"), full_page=True)
    page.fill("textarea", right.replace("[gateway]", '[gateway]\nname = "改名的小区"'))
    page.click("button[value=check]")
    page.screenshot(path=str(folder / "settings-right.png"), full_page=True)
    page.click("button[value=apply]")
    page.wait_for_url("**/settings", timeout=60_000)
    if not comes(page, "document.querySelector('header b').textContent === '改名的小区'", 60):
        fault("settings", "the new name does not come")
    print("applied:", page.inner_text("header b"))
    context.clear_cookies()
    for _ in range(12):
        log_in("anna", "a wrong password")
    said = page.inner_text("main")
    print("locked:", json.dumps(said[:200]))
    if "Too many attempts" not in said:
        fault("login", f"is not locked after twelve wrong passwords: {said[:200]}")
    page.screenshot(path=str(folder / "locked.png"), full_page=True)
    chromium.close()


def act(play, url, folder):
    """What staff do with a demo: each part ends with what the page says of it."""
    chromium = browser(play)
    for lang, width in (("zh", "phone"), ("en", "desktop")):
        w, h = WIDTHS[width]
        context = chromium.new_context(viewport={"width": w, "height": h}, locale="zh-CN")
        page = context.new_page()
        page.on("pageerror", lambda e: fault("act", f"script: {e}"))
        page.goto(f"{url}/?lang={lang}")

        def shot(name):
            accessible(page, f"{name} {lang} {width}")
            page.screenshot(path=str(folder / f"{name}-{lang}-{width}.png"), full_page=True)

        alarm(page, url, shot)
        warning(page, url, shot, lang)
        order(page, url, shot)
        history(page, url, shot)
        context.close()
    chromium.close()


def alarm(page, url, shot):
    """The worst open alarm is acknowledged, then closed; its steps and the history tell it."""
    page.goto(f"{url}/alarms")
    page.wait_for_selector("ul.alarms li")
    shot("alarms")
    title = page.inner_text("ul.alarms li:first-child a.t")
    href = page.get_attribute("ul.alarms li:first-child a.t", "href")
    first = "ul.alarms li:first-child"
    page.fill(f"{first} form[action$='/acknowledge'] input[name=by]", "李工")
    page.click(f"{first} form[action$='/acknowledge'] button")
    page.goto(url + href)
    if "李工" not in page.inner_text("main"):
        fault("alarm", f"{href} does not say who acknowledged it")
    page.click("details:has(form[action$='/close']) summary")
    close = page.locator("form[action$='/close']")
    close.locator("input[name=by]").fill("李工")
    close.locator("button").click()
    if page.url.endswith("/close"):
        fault("alarm", "is closed without a reason")
    close.locator("input[name=reason]").fill("到场处理完毕")
    shot("alarm")
    close.locator("button").click()
    page.goto(f"{url}/alarms?state=closed")
    said = page.inner_text("main")
    if title not in said or "到场处理完毕" not in said:
        fault("alarm", f"the history does not tell of {title}: {said[:300]}")
    shot("alarms-closed")
    print("alarm:", title, "acknowledged and closed", flush=True)


def warning(page, url, shot, lang):
    """A warning of staff: previewed, confirmed; every terminal plays it and says so."""
    seen = page.request.get(f"{url}/api/v1/broadcast").json()
    everywhere = seen["terminals"] + seen["screens"]
    if not seen["terminals"]:
        fault("warning", "the demo has no terminal")
    page.goto(f"{url}/broadcast")
    page.click("#compose summary")
    page.select_option("select[name=severity]", "red")
    page.fill("input[name=title_zh]", "燃气泄漏")
    page.fill("textarea[name=body_zh]", "请关闭阀门，开窗，立即离开。")
    page.fill("input[name=title_en]", "Gas leak")
    page.fill("textarea[name=body_en]", "Close the valve, open the windows, leave.")
    page.fill("input[name=repeat]", "1")
    page.fill("#compose input[name=by]", "李工")
    shot("broadcast-form")
    page.click("#compose form button")
    said = page.inner_text("main")
    if "燃气泄漏" not in said:
        fault("warning", f"the preview does not show what is said: {said[:300]}")
    if page.url.endswith("/send"):
        fault("warning", "goes out before it is confirmed")
    shot("broadcast-preview")
    page.click("form[action='/broadcast/send'] button")
    if "/send" in page.url:
        fault("warning", "goes out without the tick")
    page.check("input[name=confirm]")
    page.click("form[action='/broadcast/send'] button")
    page.wait_for_url("**/broadcast/*")
    sent = page.url.rsplit("/", 1)[1].split("?")[0]
    deadline = time.monotonic() + 60
    states = []
    while time.monotonic() < deadline:
        row = page.request.get(f"{url}/api/v1/broadcast/{sent}").json()
        states = [receipt["state"] for receipt in row["receipts"]]
        started = [r for r in row["receipts"] if r.get("playing_ms")]
        # A screen goes on to show it; a terminal is through.
        if len(started) == everywhere and states.count("finished") == seen["terminals"]:
            break
        page.wait_for_timeout(500)
    else:
        fault("warning", f"not every terminal played it: {states}")
    page.goto(f"{url}/broadcast/{sent}")
    rows = page.locator("main tbody tr").count()
    if rows != everywhere:
        fault("warning", f"{rows} receipts of {everywhere}")
    shot("broadcast-receipts")
    page.goto(f"{url}/broadcast")
    if {"zh": "燃气泄漏", "en": "Gas leak"}[lang] not in page.inner_text("main"):
        fault("warning", "is not listed")
    shot("broadcast")
    print("warning:", sent, states, flush=True)


def order(page, url, shot):
    """A charger is told a limit in two steps; its page shows what became of it."""
    page.goto(f"{url}/devices/charger-1")
    page.click("details:has(form.command) summary")
    form = page.locator("form.command:has(input[value=currentLimit])")
    form.locator("input[name=value]").fill("10")
    shot("order")
    form.locator("button").click()
    page.fill("form.confirm input[name=by]", "李工")
    shot("order-confirm")
    page.click("form.confirm button")
    page.wait_for_url("**/devices/charger-1*")
    row = {}
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and row.get("outcome") != "done":
        row = page.request.get(f"{url}/api/v1/commands?device=charger-1").json()["commands"][0]
        page.wait_for_timeout(300)
    if row.get("outcome") != "done" or row.get("by") != "李工":
        fault("order", f"ends so: {row}")
    page.goto(f"{url}/devices/charger-1")
    shot("order-done")
    page.goto(f"{url}/commands")
    if "charger-1" not in page.content():
        fault("order", "is not listed")
    shot("commands")
    print("order:", row.get("outcome"), row.get("read_back"), flush=True)


def history(page, url, shot):
    """Charts of every span, the values that change while one looks, the file for spreadsheets."""
    for span in ("24h", "7d", "30d"):
        page.goto(f"{url}/devices/meter-main?span={span}")
        drawn(page, f"history {span}")
        if page.locator("canvas").count() == 0:
            fault("history", f"{span} shows no chart")
    shot("history")
    before = page.inner_text("[data-point] [data-value]")
    changed = "before => document.querySelector('[data-point] [data-value]').innerText !== before"
    if not comes(page, changed, 30, before):
        fault("history", f"the value stays at {before}")
    csv = page.request.get(f"{url}/api/v1/devices/meter-main/history.csv?span=24h")
    lines = csv.text().splitlines()
    if csv.status != 200 or len(lines) < 100:
        fault("history", f"the table has {len(lines)} lines, status {csv.status}")
    print("history:", len(lines), "lines", flush=True)


def main():
    what, url, folder = sys.argv[1], sys.argv[2].rstrip("/"), pathlib.Path(sys.argv[3])
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as play:
        {"look": look, "settings": settings, "act": act}[what](play, url, folder)
    if faults:
        print(f"{len(faults)} faults:", *faults, sep="\n  ")
        sys.exit(1)


main()
