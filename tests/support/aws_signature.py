# SPDX-License-Identifier: Apache-2.0
"""Computes AWS Signature Version 4 of a request from its documentation, to check another's."""

import datetime
import hashlib
import hmac
import re
import urllib.parse

AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, ?"
    r"SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})"
)
MAX_SKEW = 300  # seconds


class WrongSignature(Exception):
    """Its text says what is wrong."""


def key_id(request):
    """The access key that a request says it is signed with, or None."""
    found = AUTHORIZATION.fullmatch(request.headers.get("Authorization") or "")
    return found[1] if found else None


def check_signature(request, secret, region, service):
    """Throws WrongSignature unless the request was signed just now with the key, for there."""
    found = AUTHORIZATION.fullmatch(request.headers.get("Authorization") or "")
    if not found:
        raise WrongSignature("no signature")
    _, date, signed_region, signed_service, names, signature = found.groups()
    if (signed_region, signed_service) != (region, service):
        raise WrongSignature(f"signed for {signed_service} in {signed_region}")
    names = names.split(";")
    stamp = request.headers.get("X-Amz-Date") or ""
    _check_names(names, request)
    _check_time(stamp, date)
    canonical = _canonical(request, names)
    scope = f"{date}/{region}/{service}/aws4_request"
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashed}"
    key = f"AWS4{secret}".encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    if not hmac.compare_digest(hmac.digest(key, text.encode(), "sha256").hex(), signature):
        raise WrongSignature("another signature")


def _check_names(names, request):
    """What must be under the signature: the host and everything of Amazon's own."""
    if names != sorted(set(names)):
        raise WrongSignature("signed headers are not sorted")
    needed = {"host", *(name.lower() for name in request.headers if _is_amazons(name))}
    missing = needed - set(names)
    if missing:
        raise WrongSignature(f"not signed: {sorted(missing)}")


def _is_amazons(name):
    return name.lower().startswith("x-amz-")


def _check_time(stamp, date):
    try:
        at = datetime.datetime.strptime(stamp, "%Y%m%dT%H%M%SZ")
    except ValueError as error:
        raise WrongSignature(f"malformed time '{stamp}'") from error
    skew = abs((datetime.datetime.utcnow() - at).total_seconds())
    if stamp[:8] != date or skew > MAX_SKEW:
        raise WrongSignature(f"wrong time {stamp}")


def _canonical(request, names):
    path, _, query = request.target.partition("?")
    pairs = sorted(
        (urllib.parse.quote(name, safe="-_.~"), urllib.parse.quote(value, safe="-_.~"))
        for name, value in urllib.parse.parse_qsl(query, keep_blank_values=True)
    )
    headers = ""
    for name in names:
        values = [" ".join(value.split()) for value in request.headers.get_all(name, [])]
        headers += f"{name}:{','.join(values)}\n"
    return "\n".join(
        [
            request.method,
            urllib.parse.quote(path, safe="/-_.~"),
            "&".join(f"{name}={value}" for name, value in pairs),
            headers,
            ";".join(names),
            hashlib.sha256(request.body).hexdigest(),
        ]
    )
