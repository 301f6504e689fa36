#!/usr/bin/env python3
"""Sums of a directory of SMTP TLS reports, computed without a line of the program under test.

usage: sums.py [--ids-from-names] DIRECTORY
Reads *.json and *.json.gz in sorted path order, judges them by RFC 8460 and the documented tolerances, drops duplicates
and conflicts (first seen wins), and prints one JSON object:
--ids-from-names gives each report the id "case-<file name>", for files that share one.
  {"verdicts": {...}, "cells": {"<day> <domain> <policy-type> <submitter>": [successful, failed, entries]},
   "failures": {"<day> <domain> <policy-type> <submitter> <result-type> <mx>": sessions}}
"""
import datetime
import gzip
import json
import os
import re
import sys

MAX_COUNT = 2**53 - 1


class Refused(Exception):
    pass


def no_duplicates(pairs):
    members = {}
    for name, value in pairs:
        if name in members:
            raise Refused("duplicate-member")
        members[name] = value
    return members


def text_of(data):
    while data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in data[:4]:
        raise Refused("not-json")
    if data[:3] == b"\xef\xbb\xbf":
        data = data[3:]
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def count(value):
    if isinstance(value, bool):
        raise Refused("invalid-count")
    if isinstance(value, str):
        if not re.fullmatch(r"\s*\d{1,16}\s*", value):
            raise Refused("invalid-count")
        value = int(value)
    if isinstance(value, float):
        if not value.is_integer():
            raise Refused("invalid-count")
        value = int(value)
    if not isinstance(value, int) or not 0 <= value <= MAX_COUNT:
        raise Refused("invalid-count")
    return value


def given(members, *names):
    for name in names:
        value = members.get(name)
        if value is not None and value != "":
            return value
    return None


def when(value):
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return datetime.datetime.fromtimestamp(value, datetime.timezone.utc)
    match = re.fullmatch(
        r"\s*(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,]\d+)?)?\s*([Zz]|[+-]\d\d:?\d\d)?\s*", value)
    if not match:
        raise Refused("missing-date-range")
    year, month, day, hour, minute = (int(part) for part in match.groups()[:5])
    second = int(match.group(6) or 0)
    moment = datetime.datetime(year, month, day, tzinfo=datetime.timezone.utc) + datetime.timedelta(
        hours=hour, minutes=minute, seconds=second)
    zone = match.group(7)
    if zone and zone not in "Zz":
        sign = -1 if zone[0] == "-" else 1
        moment -= sign * datetime.timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
    return moment


def domain(value):
    if value is None:
        return None
    value = str(value).strip().rstrip(".").lower()
    return value.encode("idna").decode() if not value.isascii() else value


def submitter_of(report):
    contact = report.get("contact-info", report.get("email-address"))
    if isinstance(contact, list):
        contact = contact[0] if contact else None
    if isinstance(contact, str) and "@" in contact.strip():
        part = contact.strip().strip("<>").rsplit("@", 1)[1].strip().rstrip(">")
        if part:
            return domain(part)
    name = given(report, "organization-name")
    if name is None:
        raise Refused("no-submitter")
    return str(name).strip().lower()


def entry(element):
    policy = element.get("policy") or {}
    summary = element.get("summary") or {}
    good = given(summary, "total-successful-session-count")
    bad = given(summary, "total-failure-session-count")
    if good is None and bad is None:
        raise Refused("missing-count")
    good, bad = count(0 if good is None else good), count(0 if bad is None else bad)
    details = element.get("failure-details")
    details = [] if details in (None, "") else [details] if isinstance(details, dict) else details
    details = [detail for detail in details if isinstance(detail, dict)]
    failures = []
    for detail in details:
        sessions = given(detail, "failed-session-count")
        if sessions is None:
            sessions = bad if len(details) == 1 else 0
        failures.append((
            str(given(detail, "result-type") or "unspecified").strip().lower(),
            domain(given(detail, "receiving-mx-hostname")) or "",
            count(sessions)))
    kind = given(policy, "policy-type")
    if kind is None:
        raise Refused("missing-policy-type")
    return str(kind).strip().lower(), domain(given(policy, "policy-domain", "domain")), good, bad, tuple(failures)


def depth(value):
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max((depth(each) for each in inner), default=0)


def read(data):
    text = text_of(data).rstrip(" \t\r\n\0")
    if not text:
        raise Refused("empty")
    try:
        report = json.loads(text, object_pairs_hook=no_duplicates)
    except json.JSONDecodeError as error:
        raise Refused("trailing-content" if error.msg == "Extra data" else "not-json")
    if depth(report) > 32:
        raise Refused("too-deep")
    if not isinstance(report, dict):
        raise Refused("no-report")
    dates = report.get("date-range") or {}
    start, end = given(dates, "start-datetime"), given(dates, "end-datetime")
    if start is None or end is None:
        raise Refused("missing-date-range")
    start, end = when(start), when(end)
    if end < start or end - start > datetime.timedelta(days=8):
        raise Refused("implausible-date-range")
    policies = report.get("policies")
    if policies is None:
        raise Refused("missing-policies")
    entries = [entry(e) for e in ([policies] if isinstance(policies, dict) else policies)]
    identity = given(report, "report-id")
    content = (report.get("organization-name"), start, end, tuple(entries))
    return submitter_of(report), str(identity) if identity is not None else repr(content), start, entries, repr(
        (content, [json.dumps(d, sort_keys=True) for d in [policies]]))


def main(directory, ids_from_names):
    verdicts, cells, failures, seen = {}, {}, {}, {}

    def tell(verdict):
        verdicts[verdict] = verdicts.get(verdict, 0) + 1

    paths = sorted(os.path.join(root, name) for root, _, names in os.walk(directory) for name in names)
    for path in paths:
        if not path.endswith((".json", ".json.gz")):
            continue
        with open(path, "rb") as file:
            data = file.read()
        if ids_from_names:
            name = os.path.basename(path).encode()
            data = re.sub(rb'"report-id"(\s*):(\s*)("[^"]*"|\d+)', rb'"report-id"\1:\2"case-' + name + b'"', data)
        try:
            submitter, identity, start, entries, content = read(data)
        except (Refused, AttributeError, TypeError, ValueError, RecursionError):
            tell("rejected")
            continue
        key = (submitter, identity, start, tuple(sorted({e[1] for e in entries if e[1]})))
        if key in seen:
            tell("duplicate" if seen[key] == content else "conflict")
            continue
        counted = [(kind, named, good, bad, details) for kind, named, good, bad, details in entries]
        if entries and not any(named for _, named, _, _, _ in counted):
            tell("rejected")
            continue
        seen[key] = content
        tell("accepted")
        for kind, named, good, bad, details in counted:
            if not named:
                continue
            cell = f"{start.date()} {named} {kind} {submitter}"
            before = cells.get(cell, (0, 0, 0))
            cells[cell] = (before[0] + good, before[1] + bad, before[2] + 1)
            for result, mx, sessions in details:
                failure = f"{cell} {result} {mx}"
                failures[failure] = failures.get(failure, 0) + sessions
    json.dump({"verdicts": verdicts, "cells": cells, "failures": {k: v for k, v in failures.items() if v}},
              sys.stdout, indent=1, sort_keys=True)
    print()


if __name__ == "__main__":
    main(sys.argv[-1], "--ids-from-names" in sys.argv)
