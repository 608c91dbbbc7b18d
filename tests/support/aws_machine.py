# SPDX-License-Identifier: Apache-2.0
"""Where a machine on AWS finds its credentials: an instance's metadata, a container's endpoint."""

import secrets

from .aws import key_document
from .servers import Answer, json_answer


class InstanceMetadata:
    """Version 2 of an instance's metadata: nothing without a session's token."""

    address = "169.254.169.254"

    def __init__(self, aws, role):
        self.aws, self.role = aws, role
        self.tokens = set()
        self.refused = 0

    def put_on(self, network):
        network.serve(self.address, self.answer, port=80, address=self.address)
        return self

    def answer(self, request):
        if (request.method, request.path) == ("PUT", "/latest/api/token"):
            life = request.headers.get("X-aws-ec2-metadata-token-ttl-seconds") or "0"
            if not 1 <= int(life) <= 21600:
                return Answer(400, "")
            self.tokens.add(token := secrets.token_urlsafe(40))
            return Answer(200, token, {"Content-Type": "text/plain"})
        if request.headers.get("X-aws-ec2-metadata-token") not in self.tokens:
            self.refused += 1
            return Answer(401, "")
        where = "/latest/meta-data/iam/security-credentials/"
        name = self.role.arn.rpartition("/")[2]
        if request.path == where:
            return Answer(200, name, {"Content-Type": "text/plain"})
        if request.path != where + name:
            return Answer(404, "")
        key = self.aws.make_session(self.role, "i-0abc", 6 * 3600)
        return json_answer(200, {"Code": "Success", "Type": "AWS-HMAC", **key_document(key)})


class ContainerCredentials:
    """The credentials endpoint of a container; with a token where it wants one."""

    def __init__(self, aws, role, path, token=None):
        self.aws, self.role, self.path, self.token = aws, role, path, token

    def put_on(self, network, address):
        network.serve(address, self.answer, port=80, address=address)
        return self

    def answer(self, request):
        if request.target != self.path or request.headers.get("Authorization") != self.token:
            return Answer(401, "")
        return json_answer(200, key_document(self.aws.make_session(self.role, "task", 3600)))
