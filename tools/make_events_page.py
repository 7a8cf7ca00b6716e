#!/usr/bin/env python3
"""Writes docs/reference/events.md from the catalogue (src/bus/event/types.cc, schemas/*.json).

    tools/make_events_page.py            rewrites the page
    tools/make_events_page.py --check    exits 1 if the page is not what it would write     (ctest: house.events_page)
"""

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EVENTS = ROOT / "src/bus/event"
PAGE = ROOT / "docs/reference/events.md"

HEAD = """# Events

Written by `tools/make_events_page.py` from `src/bus/event`; change it there.

## Envelope

| field | type | rule |
|---|---|---|
| eventId | string | 1 to 128 bytes; made by the publisher, else by the bus. With `source` it is what duplicates are known by |
| eventType | string | `noun.verb`: words of letters, digits, `_` and `-` joined by points; at most 128 bytes |
| eventVersion | string | `major.minor`; absent = `1.0`. A catalogue type of another major version is refused |
| timestamp | integer | Unix ms at the publisher, up to the year 9999; absent = the bus's receipt |
| source | string | publishing component, 1 to 256 bytes, not beginning with `aws.` |
| userId | string | whose data changed: the key within which events keep their order; 1 to 256 bytes. Only `bus.*` events and foreign EventBridge events may lack it |
| correlationId | string, optional | at most 128 bytes; an event without one begins a chain of its own |
| causationId | string, optional | at most 128 bytes; the event that led to this one |
| data | object | by type, below |
| metadata | object, optional | `actor`, `requestId` … |

None of these texts may contain control characters, line or paragraph separators (U+2028, U+2029), or characters that change the direction of writing
(U+202A to U+202E, U+2066 to U+2069). `null` for an optional field means absent. Members that are not named here are kept and given back. Numbers are kept digit for digit. A member of the
envelope, or a named member of `data`, that appears twice is refused. Unknown event types are accepted; their `data` must be an object.

**Forms.** The seed's form above · EventBridge, with `detail-type` = eventType and `detail` = {eventId, eventVersion, timestamp, userId, correlationId,
causationId, data, metadata}. A `detail` carries our envelope if it has a non-empty `eventId` and an object `data`; any other `detail` is foreign and is the payload
itself. A foreign event's id is EventBridge's `id`; its key is `detail.userId` if there is such a string, else empty. The way back is lossless in both.

**Duplicates.** The same source and eventId with the same content is a duplicate; with other content it is `id_reused`. Content is what the publisher wrote: all
of the envelope and `data`, without ids and times that the bus stamped. Blanks, the order of members and the form do not count; the digits of numbers do.

## Types

Every type is version 1.0. More members than those named are allowed. Counts are integers from 0 to 2^53 - 1; ids are non-empty strings; days are `YYYY-MM-DD`.
"""


def table_rows():
    source = (EVENTS / "types.cc").read_text()
    table = source[source.index("constexpr Type all_types") :]
    return re.findall(r'\{\s*"([\w.]+)",\s*"(\w+)",\s*"([^"]+)",\s*\w+\}', table)


def kind(schema):
    types = schema.get("type", "any value")
    types = types if isinstance(types, list) else [types]
    name = next(t for t in types if t != "null")
    if "enum" in schema:
        return " · ".join(f"`{value}`" for value in schema["enum"] if value is not None)
    if name == "string":
        return "day" if "pattern" in schema else "id" if schema.get("minLength") else "string"
    if name == "integer":
        return "count" if schema.get("minimum") == 0 else f"integer from {schema['minimum']}"
    if name == "number":
        return f"number, {schema['minimum']} to {schema['maximum']}"
    if name == "array":
        bound = f", at most {schema['maxItems']}" if "maxItems" in schema else ", at least one" if "minItems" in schema else ""
        return f"array of {kind(schema['items'])}{bound}"
    if name == "object":
        return "{" + ", ".join(f"{key}: {kind(value) if value else 'any'}" for key, value in schema["properties"].items()) + "}"
    return name


def presence(name, schema):
    if name not in schema["required"]:
        return ", optional"
    return " or null" if "null" in schema["properties"][name]["type"] else ""


def page():
    parts = [HEAD]
    for name, source, description in table_rows():
        schema = json.loads((EVENTS / f"schemas/{name}.json").read_text())
        parts.append(f"\n### {name}\n\n{description} Published by `{source}`.\n\n| field | type |\n|---|---|\n")
        parts += [f"| {field} | {kind(value)}{presence(field, schema)} |\n" for field, value in schema["properties"].items()]
    return "".join(parts)


def main():
    if "--check" not in sys.argv:
        PAGE.write_text(page())
        return 0
    if not PAGE.exists() or PAGE.read_text() != page():
        print(f"{PAGE.relative_to(ROOT)} is out of date; run tools/make_events_page.py")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
