-- SPDX-License-Identifier: Apache-2.0
-- `position` keeps the order of insertion even when two rows have the same millisecond.
-- Times are milliseconds since the epoch. Absent texts are empty, not NULL.

CREATE TABLE properties (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE registry_integrations (
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL UNIQUE,
  provider TEXT NOT NULL,
  domain TEXT NOT NULL,
  username TEXT NOT NULL,
  sealed_password TEXT NOT NULL,
  repository_prefix TEXT NOT NULL,
  is_default INTEGER NOT NULL CHECK (is_default IN (0, 1)),
  is_caching INTEGER NOT NULL CHECK (is_caching IN (0, 1)),
  is_primary INTEGER NOT NULL CHECK (is_primary IN (0, 1)),
  created_at INTEGER NOT NULL
) STRICT;

-- The rules of the roles hold even against a writer that forgets them.
CREATE UNIQUE INDEX one_default ON registry_integrations (is_default) WHERE is_default = 1;
CREATE UNIQUE INDEX one_caching ON registry_integrations (is_caching) WHERE is_caching = 1;
CREATE UNIQUE INDEX one_primary_per_domain ON registry_integrations (domain) WHERE is_primary = 1;

CREATE TABLE images (
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  internal_image_id TEXT NOT NULL UNIQUE,
  image_name TEXT NOT NULL,
  repo_digest TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  size_bytes INTEGER NOT NULL,
  os TEXT NOT NULL,
  architecture TEXT NOT NULL,
  dockerfile TEXT NOT NULL,
  repo_owner TEXT NOT NULL,
  repo_name TEXT NOT NULL,
  branch TEXT NOT NULL,
  revision TEXT NOT NULL,
  commit_author TEXT NOT NULL,
  commit_message TEXT NOT NULL,
  commit_url TEXT NOT NULL,
  build_id TEXT NOT NULL,
  pipeline TEXT NOT NULL,
  step TEXT NOT NULL,
  build_duration_ms INTEGER NOT NULL,
  push_duration_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX images_by_age ON images (created_at);
CREATE INDEX images_by_name ON images (image_name);

CREATE TABLE image_layers (
  image_id TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  instruction TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  digest TEXT NOT NULL,
  PRIMARY KEY (image_id, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE image_tags (
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  image_id TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE,
  registry TEXT NOT NULL,
  repository TEXT NOT NULL,
  tag TEXT NOT NULL,
  integration TEXT NOT NULL,
  UNIQUE (registry, repository, tag)
) STRICT;

CREATE INDEX image_tags_by_image ON image_tags (image_id);

CREATE TABLE builds (
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  pipeline TEXT NOT NULL,
  result TEXT NOT NULL,
  reason TEXT NOT NULL,
  repo_owner TEXT NOT NULL,
  repo_name TEXT NOT NULL,
  branch TEXT NOT NULL,
  revision TEXT NOT NULL,
  commit_author TEXT NOT NULL,
  commit_message TEXT NOT NULL,
  commit_url TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  finished_at INTEGER
) STRICT;

CREATE INDEX builds_running ON builds (position) WHERE finished_at IS NULL;
