ALTER TABLE practice_package_orders ADD COLUMN purchase_recorded_at timestamptz;

COMMENT ON COLUMN practice_package_orders.purchase_recorded_at IS 'When a snapshot of the purchase was recorded. It is set once, so there is at most one such snapshot.';
