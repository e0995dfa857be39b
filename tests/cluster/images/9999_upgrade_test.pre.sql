ALTER TABLE media ADD COLUMN upgrade_test text;
