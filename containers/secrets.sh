#!/bin/sh
# Make the secrets that docker-compose.yml names: random passwords, each in a file. What is there stays as it is.
# With "sandbox" as first argument the portal is the compose file's sandbox; otherwise write your webhook's address
# into bitrix_webhook_url, or leave it empty to work without a portal.
set -eu
folder=${SECRETS:-$(dirname "$0")/../secrets}
mkdir -p "$folder"
chmod 700 "$folder" # the files are readable to the containers' users; on this machine the folder keeps others out
put() { [ -e "$folder/$1" ] || printf '%s' "$2" >"$folder/$1"; chmod 644 "$folder/$1"; }
random() { head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n'; }
for name in admin_password worker_password integration_password deploy_password db_password db_admin_password; do
  put "$name" "$(random)"
done
put ledger_url "postgresql://order_route:$(cat "$folder/db_password")@db:5432/order_route"
webhook=
[ "${1:-}" = sandbox ] && webhook=http://sandbox:8100/rest/1/sandbox/
put bitrix_webhook_url "$webhook"
put bitrix_application_token ""
echo "Секреты лежат в $folder"
