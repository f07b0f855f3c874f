"""A report's page by the HTML parser of Python's library.

    report_page.py PAGE

Fails when an element is not closed in its order, an attribute stands twice, an identifier stands
twice, or something would be loaded from elsewhere. Prints one JSON object:

    {"report": the document in the page, "missing": [identifiers of the checks that the page says
     are missing, in its order], "stars": how many full stars it draws, "titles": [of the charts],
     "signed": how many bytes stand before the line of the signature}
"""

import json
import sys
from html.parser import HTMLParser

VOID = {"meta", "br", "link", "img", "input", "hr"}
LOADS = {"src", "href", "data", "action", "srcset", "poster"}


class Page(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.ids, self.titles, self.missing = [], set(), [], []
        self.report, self.stars, self.text = "", "", None

    def handle_starttag(self, tag, attributes):
        names = [name for name, _ in attributes]
        assert len(names) == len(set(names)), f"{tag}: an attribute twice"
        assert not LOADS & set(names), f"{tag} loads something: {attributes}"
        attributes = dict(attributes)
        if identifier := attributes.get("id"):
            assert identifier not in self.ids, f"id {identifier} twice"
            self.ids.add(identifier)
        if tag == "script":
            assert attributes == {"type": "application/json", "id": "report"}, attributes
        if tag not in VOID:
            self.open.append((tag, attributes))

    def handle_startendtag(self, tag, attributes):
        assert tag in VOID, f"<{tag}/> is no void element"

    def handle_endtag(self, tag):
        assert self.open and self.open[-1][0] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data):
        if not self.open:
            assert not data.strip(), f"text outside: {data!r}"
            return
        tag, attributes = self.open[-1]
        classes = [a.get("class", "") for _, a in self.open]
        if tag == "script":
            self.report += data
        elif tag == "title" and "svg" in [t for t, _ in self.open]:
            self.titles.append(data)
        elif tag == "b" and classes[-2:] == ["top", ""]:
            self.missing.append(data.split()[0])
        elif attributes.get("class") == "starline":
            self.stars += data


file = open(sys.argv[1], "rb").read()
page = Page()
page.feed(file.decode("utf-8"))
page.close()
assert not page.open, page.open
lines = file.split(b"\n")
assert lines[-1] == b"" and lines[-2].startswith(b"<!-- linli-signature ed25519 ")
print(json.dumps({
    "report": json.loads(page.report),
    "missing": page.missing,
    "stars": page.stars.count("★"),
    "titles": page.titles,
    "signed": len(file) - len(lines[-2]) - 1,
}))
