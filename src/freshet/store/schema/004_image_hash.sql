-- SPDX-License-Identifier: Apache-2.0
-- The key of all that an image was built of; empty when it is not known.
ALTER TABLE images ADD COLUMN hash TEXT NOT NULL DEFAULT '';

CREATE INDEX images_by_hash ON images (hash) WHERE hash <> '';
