-- The sweeper looks for items that ended before they were ready.

CREATE INDEX media_ended ON media (updated_at) WHERE state IN ('cancelled', 'expired');
