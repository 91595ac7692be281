"""bitrix_sync/sandbox."""
