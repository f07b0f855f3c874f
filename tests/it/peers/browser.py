"""A browser on the pages of a gateway, as the staff have it: Chromium, driven by Playwright.

    browser.py look URL FOLDER            every page in both languages, on phone and desktop
    browser.py settings URL FOLDER        logs in, is locked out, edits the configuration

Prints what it saw, a line each; ends with 1 and a list of faults when something is not as it should.
Screenshots lie in FOLDER.
"""

import json
import pathlib
import shutil
import sys
from urllib.parse import urlsplit

import axe_playwright_python
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
    page.evaluate(AXE)
    result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    for one in result["violations"]:
        if one["impact"] in ("serious", "critical"):
            nodes = "; ".join(node["html"][:160] for node in one["nodes"][:2])
            fault(where, f"axe {one['id']} ({one['impact']}): {one['help']}: {nodes}")
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
    page.wait_for_url("**/settings", timeout=30_000)
    page.wait_for_function("document.querySelector('header b').textContent === '改名的小区'", timeout=30_000)
    print("applied:", page.inner_text("header b"))
    context.clear_cookies()
    for _ in range(12):
        log_in("anna", "a wrong password")
    said = page.inner_text("main")
    print("locked:", json.dumps(said[:200]))
    if not any(word in said.lower() for word in ("minute", "second", "lock", "later")):
        fault("login", f"is not locked after twelve wrong passwords: {said[:200]}")
    page.screenshot(path=str(folder / "locked.png"), full_page=True)
    chromium.close()


def main():
    what, url, folder = sys.argv[1], sys.argv[2].rstrip("/"), pathlib.Path(sys.argv[3])
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as play:
        {"look": look, "settings": settings}[what](play, url, folder)
    if faults:
        print(f"{len(faults)} faults:", *faults, sep="\n  ")
        sys.exit(1)


main()
