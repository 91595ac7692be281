#!/bin/sh
# Run once by the database's container on an empty volume: a role without special rights, and its database.
set -eu
psql --username postgres --no-psqlrc --set ON_ERROR_STOP=1 --set password="$(cat /run/secrets/db_password)" <<'SQL'
CREATE ROLE order_route LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'password';
CREATE DATABASE order_route OWNER order_route;
REVOKE ALL ON DATABASE order_route FROM PUBLIC;
SQL
