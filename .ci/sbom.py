"""Finishes a bill of materials: no paths of this machine in it, the same for the same sources,
valid, complete. `sbom` beside this file runs it with cargo's list of crates on standard input."""

import json
import os
import subprocess
import sys
import uuid

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

source, into = sys.argv[1:]
bill = json.load(open(source))

# Where the sources lie is nobody's business, and differs from one machine to the next.
own = bill["metadata"]["component"]["bom-ref"].rsplit("#", 1)[0]
text = json.dumps(bill, ensure_ascii=False).replace(own, "linli")
text = text.replace("?download_url=file://.", "")
bill = json.loads(text)

# The list comes from cargo's metadata, which also follows what only a test asks a crate for.
built = {tuple(line.split()) for line in sys.stdin if line.strip()}
unbuilt = {
    part["bom-ref"]
    for part in bill["components"]
    if (part["name"], part["version"]) not in built
}
bill["components"] = [part for part in bill["components"] if part["bom-ref"] not in unbuilt]
bill["dependencies"] = [part for part in bill["dependencies"] if part["ref"] not in unbuilt]
for part in bill["dependencies"]:
    if "dependsOn" in part:
        part["dependsOn"] = [ref for ref in part["dependsOn"] if ref not in unbuilt]

# Two runs over the same sources give the same file.
if os.environ.get("SOURCE_DATE_EPOCH") is None:
    git = subprocess.run(["git", "log", "-1", "--format=%cI"], capture_output=True, text=True)
    bill["metadata"]["timestamp"] = git.stdout.strip() or bill["metadata"]["timestamp"]
bill.pop("serialNumber", None)
stable = json.dumps(bill, sort_keys=True)
bill["serialNumber"] = "urn:uuid:" + str(uuid.uuid5(uuid.NAMESPACE_URL, stable))

listed = {(part["name"], part["version"]) for part in bill["components"]}
root = (bill["metadata"]["component"]["name"], bill["metadata"]["component"]["version"])
wrong = [f"missing: {name} {version}" for name, version in sorted(built - listed - {root})]
for part in bill["components"]:
    if not part.get("hashes") or not part.get("licenses") or not part.get("purl"):
        wrong.append(f"without hash, licence or address: {part['name']}")

out = json.dumps(bill, ensure_ascii=False, indent=1) + "\n"
fault = JsonStrictValidator(SchemaVersion.V1_5).validate_str(out)
if fault is not None:
    wrong.append(f"not valid: {fault}")
if "file://" in out or os.getcwd() in out:
    wrong.append("it names a path of this machine")
if wrong:
    sys.exit("\n".join(wrong))
with open(into, "w") as file:
    file.write(out)
print(f"{into}: {len(listed)} crates")
