# What this tree makes, with one more migration: a release that changes the schema.
ARG COMPONENT
FROM mediaplatform-${COMPONENT}:test
COPY 9999_upgrade_test.pre.sql /opt/mediaplatform/src/mediaplatform/migrations/
