-- SPDX-License-Identifier: Apache-2.0
-- What past images have of use to later builds, found by the keys of instructions. There are many
-- rows and they are small, so references are numbers; they are kept right by the one class that
-- writes them, because checking each would cost more than writing it.

-- Who may read: builds of that platform, and of that trust (empty: all). Everything below belongs
-- to one scope, so that what untrusted builds leave is not even in the lists that others read.
CREATE TABLE cache_scopes (
  number INTEGER PRIMARY KEY,
  platform TEXT NOT NULL,
  trust_scope TEXT NOT NULL,
  UNIQUE (platform, trust_scope)
) STRICT;

CREATE TABLE cache_branches (
  number INTEGER PRIMARY KEY,
  scope INTEGER NOT NULL,
  pipeline TEXT NOT NULL,
  branch TEXT NOT NULL,
  UNIQUE (scope, pipeline, branch)
) STRICT;

-- A key, and a layer that its instruction made; mostly one for a key. The cost is that of the key.
-- diff_id: the 32 bytes of a SHA-256 digest, empty where there is none.
CREATE TABLE cache_results (
  number INTEGER PRIMARY KEY,
  scope INTEGER NOT NULL,
  key BLOB NOT NULL,
  diff_id BLOB NOT NULL,
  size_bytes INTEGER NOT NULL,
  cost_ms INTEGER,
  measured_at INTEGER
) STRICT;

-- Of a key, which is a hash, eight bytes tell as much as all of it and take a third of the space.
CREATE INDEX cache_results_by_key ON cache_results (substr(key, 1, 8), scope);

-- The highest number is the image recorded last. `results` has the numbers of all its results.
-- is_offered: it has a copy that was seen.
CREATE TABLE cache_images (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL,
  branch INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  is_offered INTEGER NOT NULL CHECK (is_offered IN (0, 1)),
  results BLOB NOT NULL
) STRICT;

CREATE INDEX cache_images_by_id ON cache_images (id);
CREATE INDEX cache_images_by_branch ON cache_images (branch, is_offered);

CREATE TABLE cache_copies (
  image INTEGER NOT NULL,
  registry TEXT NOT NULL,
  repository TEXT NOT NULL,
  digest TEXT NOT NULL,
  confirmed_at INTEGER,
  PRIMARY KEY (image, registry, repository, digest)
) STRICT, WITHOUT ROWID;

-- Which images have a result; is_offered: and give it away now.
CREATE TABLE cache_holders (
  result INTEGER NOT NULL,
  is_offered INTEGER NOT NULL,
  image INTEGER NOT NULL,
  PRIMARY KEY (result, is_offered, image)
) STRICT, WITHOUT ROWID;
