"""bitrix_sync."""
