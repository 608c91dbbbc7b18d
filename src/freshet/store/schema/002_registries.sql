-- SPDX-License-Identifier: Apache-2.0
ALTER TABLE registry_integrations ADD COLUMN preset TEXT NOT NULL DEFAULT '';
ALTER TABLE registry_integrations ADD COLUMN region TEXT NOT NULL DEFAULT '';
ALTER TABLE registry_integrations ADD COLUMN role_arn TEXT NOT NULL DEFAULT '';
ALTER TABLE registry_integrations ADD COLUMN uses_ambient_role INTEGER NOT NULL DEFAULT 0
  CHECK (uses_ambient_role IN (0, 1));
ALTER TABLE registry_integrations ADD COLUMN creates_repositories INTEGER NOT NULL DEFAULT 0
  CHECK (creates_repositories IN (0, 1));
ALTER TABLE registry_integrations ADD COLUMN fallback_id TEXT NOT NULL DEFAULT '';
ALTER TABLE registry_integrations ADD COLUMN is_behind_firewall INTEGER NOT NULL DEFAULT 0
  CHECK (is_behind_firewall IN (0, 1));
ALTER TABLE registry_integrations ADD COLUMN is_plain_http INTEGER NOT NULL DEFAULT 0
  CHECK (is_plain_http IN (0, 1));
ALTER TABLE registry_integrations ADD COLUMN is_verification_off INTEGER NOT NULL DEFAULT 0
  CHECK (is_verification_off IN (0, 1));
ALTER TABLE registry_integrations ADD COLUMN ca_certificates TEXT NOT NULL DEFAULT '';
ALTER TABLE registry_integrations ADD COLUMN client_certificate TEXT NOT NULL DEFAULT '';
ALTER TABLE registry_integrations ADD COLUMN proxy TEXT NOT NULL DEFAULT '';
ALTER TABLE registry_integrations ADD COLUMN proxy_username TEXT NOT NULL DEFAULT '';
ALTER TABLE registry_integrations ADD COLUMN mirror TEXT NOT NULL DEFAULT '';
ALTER TABLE registry_integrations ADD COLUMN token_server TEXT NOT NULL DEFAULT '';

-- An empty text means that there is no such secret.
ALTER TABLE registry_integrations ADD COLUMN sealed_client_key TEXT NOT NULL DEFAULT '';
ALTER TABLE registry_integrations ADD COLUMN sealed_proxy_password TEXT NOT NULL DEFAULT '';

-- Names are unique across all kinds of integration and shared configuration, so they share a table.
CREATE TABLE shared_names (
  name TEXT PRIMARY KEY,
  kind TEXT NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO shared_names (name, kind) SELECT name, 'registry' FROM registry_integrations;

CREATE TRIGGER registry_name_added AFTER INSERT ON registry_integrations BEGIN
  INSERT INTO shared_names (name, kind) VALUES (NEW.name, 'registry');
END;
CREATE TRIGGER registry_name_changed AFTER UPDATE OF name ON registry_integrations
WHEN NEW.name <> OLD.name BEGIN
  UPDATE shared_names SET name = NEW.name WHERE name = OLD.name;
END;
CREATE TRIGGER registry_name_removed AFTER DELETE ON registry_integrations BEGIN
  DELETE FROM shared_names WHERE name = OLD.name;
END;

-- What layers became when they were compressed, and which registries were seen to have them.
CREATE TABLE known_layers (
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  diff_id TEXT NOT NULL,
  digest TEXT NOT NULL,
  media_type TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  domain TEXT NOT NULL,
  repository TEXT NOT NULL,
  UNIQUE (diff_id, domain, repository, digest)
) STRICT;
