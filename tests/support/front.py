# SPDX-License-Identifier: Apache-2.0
"""What stands before a real registry: requests passed on to it, its answers passed back."""

import http.client

from .servers import Answer

# What is about one connection, not about the request.
HOP_BY_HOP = {"connection", "content-length", "host", "transfer-encoding", "keep-alive", "expect"}


def pass_on(request, address, authorization=None):
    """Asks 'host:port' the same over plain http and returns its answer.

    authorization: instead of the client's own.
    """
    kept = {
        name: value for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP
    }
    if authorization is not None:
        kept.pop("Authorization", None)
        kept["Authorization"] = authorization
    connection = http.client.HTTPConnection(address, timeout=30)
    try:
        connection.request(request.method, request.target, request.body, kept)
        response = connection.getresponse()
        body = response.read()
    finally:
        connection.close()
    dropped = HOP_BY_HOP - {"content-length"} if request.method == "HEAD" else HOP_BY_HOP
    answered = {
        name: value for name, value in response.headers.items() if name.lower() not in dropped
    }
    return Answer(response.status, body, answered)
