-- SPDX-License-Identifier: Apache-2.0
-- What repositories get that Freshet makes.
ALTER TABLE registry_integrations ADD COLUMN scans_on_push INTEGER NOT NULL DEFAULT 0
  CHECK (scans_on_push IN (0, 1));
ALTER TABLE registry_integrations ADD COLUMN has_immutable_tags INTEGER NOT NULL DEFAULT 0
  CHECK (has_immutable_tags IN (0, 1));
ALTER TABLE registry_integrations ADD COLUMN lifecycle_policy TEXT NOT NULL DEFAULT '';
