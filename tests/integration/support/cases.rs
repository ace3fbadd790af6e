//! Each plan of `plans/`, and one on a partitioned table, with the releases of the application that are in service
//! while it runs: what each sends, and from when to when.

use super::application::Release;

/// A plan and the application around it.
#[derive(Clone, Copy)]
pub struct Case {
    /// A file of `plans/`, or the plan itself.
    pub plan: &'static str,
    /// What the first slot serves in the beginning.
    pub old: Release,
    /// The phase before which that is withdrawn.
    pub old_until: &'static str,
    /// What the second slot serves, from the end of one phase to the beginning of another.
    pub new: Release,
    pub new_from: &'static str,
    pub new_until: &'static str,
    /// What both serve in the end, and from the end of `retire` on.
    pub last: Release,
    /// Rows that are there and become the clients'.
    pub keys: i64,
}

const NEVER: &str = "";

/// One release, which the change does not concern.
const fn same(plan: &'static str, release: Release, keys: i64) -> Case {
    Case {
        plan,
        old: release,
        old_until: NEVER,
        new: release,
        new_from: "start",
        new_until: NEVER,
        last: release,
        keys,
    }
}

/// Two releases: the new one from the end of `dual_write` on, the old one until `retire`.
const fn two(plan: &'static str, old: Release, new: Release) -> Case {
    Case {
        plan,
        old,
        old_until: "retire",
        new,
        new_from: "dual_write",
        new_until: NEVER,
        last: new,
        keys: 80,
    }
}

/// Two releases, and another, as the column has its old name in the end.
const fn three(plan: &'static str, old: Release, new: Release, last: Release) -> Case {
    Case {
        new_until: "retire",
        last,
        ..two(plan, old, new)
    }
}

fn words<const N: usize>(values: [String; N]) -> Vec<String> {
    values.into()
}

// ------------------------------------------------------------------------------------------------- vehicles

/// Plates of ten characters, as one of the plans has them.
const VEHICLE: Release = Release {
    insert: "INSERT INTO vehicles (id, status, license_plate, depot, radio_code) OVERRIDING SYSTEM VALUE VALUES ($1::bigint, $2, $3, 'D1', 'R1')",
    update: "UPDATE vehicles SET status = $2, license_plate = $3 WHERE id = $1::bigint",
    read: "SELECT status::text, license_plate::text FROM vehicles WHERE id = $1::bigint",
    delete: "DELETE FROM vehicles WHERE id = $1::bigint",
    values: |number| words([format!("s{}", number % 977), format!("S-{number:08}")]),
};
const VEHICLE_STATUS: Release = Release {
    insert: "INSERT INTO vehicles (id, vehicle_status, license_plate, depot, radio_code) OVERRIDING SYSTEM VALUE VALUES ($1::bigint, $2, $3, 'D1', 'R1')",
    update: "UPDATE vehicles SET vehicle_status = $2, license_plate = $3 WHERE id = $1::bigint",
    read: "SELECT vehicle_status::text, license_plate::text FROM vehicles WHERE id = $1::bigint",
    ..VEHICLE
};
const SHORT_PLATE: Release = Release {
    insert: "INSERT INTO vehicles (id, status, license_plate_new, depot, radio_code) OVERRIDING SYSTEM VALUE VALUES ($1::bigint, $2, $3, 'D1', 'R1')",
    update: "UPDATE vehicles SET status = $2, license_plate_new = $3 WHERE id = $1::bigint",
    read: "SELECT status::text, license_plate_new::text FROM vehicles WHERE id = $1::bigint",
    ..VEHICLE
};
/// The key is right, or the row is not.
const PLATE_KEY: Release = Release {
    insert: "INSERT INTO vehicles (id, status, license_plate, plate_key, depot, radio_code) OVERRIDING SYSTEM VALUE \
             VALUES ($1::bigint, $2, $3, lower(replace($3, '-', '')), 'D1', 'R1')",
    update: "UPDATE vehicles SET status = $2, license_plate = $3, plate_key = lower(replace($3, '-', '')) WHERE id = $1::bigint",
    read: "SELECT status::text, CASE WHEN plate_key = lower(replace(license_plate, '-', '')) THEN license_plate::text ELSE plate_key END \
           FROM vehicles WHERE id = $1::bigint",
    ..VEHICLE
};
const NO_RADIO: Release = Release {
    insert: "INSERT INTO vehicles (id, status, license_plate, depot) OVERRIDING SYSTEM VALUE VALUES ($1::bigint, $2, $3, 'D1')",
    ..VEHICLE
};

// ------------------------------------------------------------------------------------------------- inventory

const ITEM: Release = Release {
    insert: "INSERT INTO inventory_items (id, item_name, batch, lot, quantity) VALUES ($1::bigint, $2, $3, 1, $4::integer)",
    update: "UPDATE inventory_items SET item_name = $2, batch = $3, quantity = $4::integer WHERE id = $1::bigint",
    read: "SELECT item_name, batch, trim_scale(quantity::numeric)::text FROM inventory_items WHERE id = $1::bigint",
    delete: "DELETE FROM inventory_items WHERE id = $1::bigint",
    values: |number| {
        words([
            format!("item {number}"),
            format!("B{number}"),
            format!("{}", number % 997),
        ])
    },
};
const BATCH_NUMBER: Release = Release {
    insert: "INSERT INTO inventory_items (id, item_name, batch_number, lot, quantity) VALUES ($1::bigint, $2, $3, 1, $4::integer)",
    update: "UPDATE inventory_items SET item_name = $2, batch_number = $3, quantity = $4::integer WHERE id = $1::bigint",
    read: "SELECT item_name, batch_number, quantity::text FROM inventory_items WHERE id = $1::bigint",
    ..ITEM
};
const DECIMAL_BESIDE: Release = Release {
    insert: "INSERT INTO inventory_items (id, item_name, batch, lot, quantity_new) VALUES ($1::bigint, $2, $3, 1, $4::numeric)",
    update: "UPDATE inventory_items SET item_name = $2, batch = $3, quantity_new = $4::numeric WHERE id = $1::bigint",
    read: "SELECT item_name, batch, trim_scale(quantity_new)::text FROM inventory_items WHERE id = $1::bigint",
    ..ITEM
};
const LOT: Release = Release {
    insert: "INSERT INTO inventory_items (id, item_name, lot) VALUES ($1::bigint, $2, $3::integer)",
    update: "UPDATE inventory_items SET item_name = $2, lot = $3::integer WHERE id = $1::bigint",
    read: "SELECT item_name, lot::text FROM inventory_items WHERE id = $1::bigint",
    delete: ITEM.delete,
    values: |number| words([format!("item {number}"), format!("{}", number % 997)]),
};
const SKU: Release = Release {
    insert: "INSERT INTO inventory_items (id, item_name, sku) VALUES ($1::bigint, $2, $2 || '/' || $3)",
    update: "UPDATE inventory_items SET item_name = $2, sku = $2 || '/' || $3 WHERE id = $1::bigint",
    read: "SELECT split_part(sku, '/', 1), split_part(sku, '/', 2) FROM inventory_items WHERE id = $1::bigint",
    ..LOT
};

// ------------------------------------------------------------------------------------------------- users

const PERSON: Release = Release {
    insert: "INSERT INTO users (id, full_name, email) VALUES ($1::bigint, $2 || ' ' || $3, $4)",
    update: "UPDATE users SET full_name = $2 || ' ' || $3, email = $4 WHERE id = $1::bigint",
    read: "SELECT split_part(full_name, ' ', 1), split_part(full_name, ' ', 2), lower(email) FROM users WHERE id = $1::bigint",
    delete: "DELETE FROM users WHERE id = $1::bigint",
    values: |number| {
        words([
            format!("First{number}"),
            format!("Last{number}"),
            format!("u{number}@example.org"),
        ])
    },
};
const DISPLAY_NAME: Release = Release {
    insert: "INSERT INTO users (id, display_name, email) VALUES ($1::bigint, $2 || ' ' || $3, $4)",
    update: "UPDATE users SET display_name = $2 || ' ' || $3, email = $4 WHERE id = $1::bigint",
    read: "SELECT split_part(display_name, ' ', 1), split_part(display_name, ' ', 2), lower(email) FROM users WHERE id = $1::bigint",
    ..PERSON
};
const TWO_NAMES: Release = Release {
    insert: "INSERT INTO users (id, first_name, last_name, email) VALUES ($1::bigint, $2, $3, $4)",
    update: "UPDATE users SET first_name = $2, last_name = $3, email = $4 WHERE id = $1::bigint",
    read: "SELECT first_name, last_name, lower(email) FROM users WHERE id = $1::bigint",
    ..PERSON
};

// ------------------------------------------------------------------------------------------------- shipments

const SHIPMENT: Release = Release {
    insert: "INSERT INTO shipments (id, sent_on, sent_at, weight_lb, carrier, vehicle_id) \
             VALUES ($1::bigint, $2::date, $3::time, $4, $5, 500)",
    update: "UPDATE shipments SET sent_on = $2::date, sent_at = $3::time, weight_lb = $4, carrier = $5 WHERE id = $1::bigint",
    read: "SELECT sent_on::text, sent_at::text, round(weight_lb::numeric, 2)::text, carrier::text FROM shipments WHERE id = $1::bigint",
    // Others refer to some.
    delete: "",
    values: |number| {
        words([
            format!("2026-01-{:02}", 1 + number % 28),
            format!("08:{:02}:{:02}", number / 60 % 60, number % 60),
            format!("{}.00", number % 997),
            format!("C{}", number % 9),
        ])
    },
};
const METRIC: Release = Release {
    insert: "INSERT INTO shipments (id, shipped_at, weight_kg, carrier_code, vehicle_id) \
             VALUES ($1::bigint, $2::date + $3::time, round($4::numeric * 0.45359237, 3), $5, 500)",
    update: "UPDATE shipments SET shipped_at = $2::date + $3::time, weight_kg = round($4::numeric * 0.45359237, 3), carrier_code = $5 \
             WHERE id = $1::bigint",
    read: "SELECT shipped_at::date::text, shipped_at::time::text, round(weight_kg / 0.45359237, 2)::text, carrier_code::text \
           FROM shipments WHERE id = $1::bigint",
    ..SHIPMENT
};
const SENT: Release = Release {
    insert: "INSERT INTO shipments (id, sent_on, sent_at) VALUES ($1::bigint, $2::date, $3::time)",
    update: "UPDATE shipments SET sent_on = $2::date, sent_at = $3::time WHERE id = $1::bigint",
    read: "SELECT sent_on::text, sent_at::text FROM shipments WHERE id = $1::bigint",
    delete: "",
    values: |number| {
        let mut values = (SHIPMENT.values)(number);
        values.truncate(2);
        values
    },
};
const DISPATCH: Release = Release {
    insert: "WITH s AS (INSERT INTO shipments (id) VALUES ($1::bigint) RETURNING id) \
             INSERT INTO dispatches (shipment_id, sent_on, sent_at) SELECT id, $2::date, $3::time FROM s",
    // The row may not be filled yet.
    update: "INSERT INTO dispatches (shipment_id, sent_on, sent_at) VALUES ($1::bigint, $2::date, $3::time) \
             ON CONFLICT (shipment_id) DO UPDATE SET sent_on = excluded.sent_on, sent_at = excluded.sent_at",
    read: "SELECT d.sent_on::text, d.sent_at::text FROM shipments AS s LEFT JOIN dispatches AS d ON d.shipment_id = s.id \
           WHERE s.id = $1::bigint",
    ..SENT
};
const ATTEMPTS: Release = Release {
    insert: "WITH s AS (INSERT INTO shipments (id) VALUES ($1::bigint) RETURNING id) \
             INSERT INTO sync_status (shipment_id, attempts) SELECT id, $2::integer FROM s",
    update: "UPDATE sync_status SET attempts = $2::integer WHERE shipment_id = $1::bigint",
    read: "SELECT coalesce((SELECT max(attempts) FROM sync_status WHERE shipment_id = s.id), 0)::text FROM shipments AS s \
           WHERE id = $1::bigint",
    delete: "WITH t AS (DELETE FROM sync_status WHERE shipment_id = $1::bigint), a AS (DELETE FROM acknowledgments \
             WHERE shipment_id = $1::bigint) DELETE FROM shipments WHERE id = $1::bigint",
    values: |number| words([format!("{}", number % 9_973)]),
};
const ATTEMPTS_MOVED: Release = Release {
    insert: "INSERT INTO shipments (id, sync_attempts) VALUES ($1::bigint, $2::integer)",
    update: "UPDATE shipments SET sync_attempts = $2::integer WHERE id = $1::bigint",
    read: "SELECT sync_attempts::text FROM shipments WHERE id = $1::bigint",
    ..ATTEMPTS
};
/// What it reads has a type of its own: else a statement prepared before a column's type is changed in place fails once after
/// it, as `explain` says.
const ACKNOWLEDGED: Release = Release {
    insert: "WITH s AS (INSERT INTO shipments (id, note) VALUES ($1::bigint, $2) RETURNING id) \
             INSERT INTO acknowledgments (shipment_id, signature_url) SELECT id, $3 FROM s",
    update: "WITH a AS (INSERT INTO acknowledgments (shipment_id, signature_url) VALUES ($1::bigint, $3) \
             ON CONFLICT (shipment_id) DO UPDATE SET signature_url = excluded.signature_url) \
             UPDATE shipments SET note = $2 WHERE id = $1::bigint",
    read: "SELECT s.note::text, a.signature_url FROM shipments AS s LEFT JOIN acknowledgments AS a ON a.shipment_id = s.id WHERE s.id = $1::bigint",
    delete: "WITH a AS (DELETE FROM acknowledgments WHERE shipment_id = $1::bigint), t AS (DELETE FROM sync_status \
             WHERE shipment_id = $1::bigint) DELETE FROM shipments WHERE id = $1::bigint",
    values: |number| words([format!("n{number}"), format!("s{number}")]),
};
const SIGNED: Release = Release {
    insert: "INSERT INTO shipments (id, note, signature_url) VALUES ($1::bigint, $2, $3)",
    update: "UPDATE shipments SET note = $2, signature_url = $3 WHERE id = $1::bigint",
    read: "SELECT note::text, signature_url FROM shipments WHERE id = $1::bigint",
    delete: "WITH t AS (DELETE FROM sync_status WHERE shipment_id = $1::bigint) DELETE FROM shipments WHERE id = $1::bigint",
    ..ACKNOWLEDGED
};
const PROOF: Release = Release {
    insert: "WITH s AS (INSERT INTO shipments (id, note) VALUES ($1::bigint, $2) RETURNING id) \
             INSERT INTO delivery_proofs (shipment_id, signature_url) SELECT id, $3 FROM s",
    update: "WITH a AS (INSERT INTO delivery_proofs (shipment_id, signature_url) VALUES ($1::bigint, $3) \
             ON CONFLICT (shipment_id) DO UPDATE SET signature_url = excluded.signature_url) \
             UPDATE shipments SET note = $2 WHERE id = $1::bigint",
    read: "SELECT s.note::text, a.signature_url FROM shipments AS s LEFT JOIN delivery_proofs AS a ON a.shipment_id = s.id WHERE s.id = $1::bigint",
    delete: "WITH a AS (DELETE FROM delivery_proofs WHERE shipment_id = $1::bigint), t AS (DELETE FROM sync_status \
             WHERE shipment_id = $1::bigint) DELETE FROM shipments WHERE id = $1::bigint",
    ..ACKNOWLEDGED
};

// ------------------------------------------------------------------------------------------------- the others

const ORDER: Release = Release {
    insert: "WITH o AS (INSERT INTO orders (id, placed_on) VALUES ($1::bigint, $2::date) RETURNING id) \
             INSERT INTO order_lines (order_id, item_name) SELECT id, $3 FROM o",
    update: "WITH l AS (UPDATE order_lines SET item_name = $3 WHERE order_id = $1::bigint) \
             UPDATE orders SET placed_on = $2::date WHERE id = $1::bigint",
    read: "SELECT placed_on::text, item_name FROM orders AS o LEFT JOIN order_lines AS l ON l.order_id = o.id WHERE o.id = $1::bigint",
    delete: "WITH l AS (DELETE FROM order_lines WHERE order_id = $1::bigint) DELETE FROM orders WHERE id = $1::bigint",
    values: |number| {
        words([
            format!("2026-01-{:02}", 1 + number % 28),
            format!("item {number}"),
        ])
    },
};
const CATEGORY: Release = Release {
    insert: "INSERT INTO categories (id, parent_id, moved_to, name) VALUES ($1::bigint, 500, 501, $2)",
    update: "UPDATE categories SET name = $2, moved_to = 502 WHERE id = $1::bigint",
    read: "SELECT name FROM categories WHERE id = $1::bigint",
    delete: "",
    values: |number| words([format!("category {number}")]),
};
/// A row goes to another partition, and to one of a partitioned partition, with every second value.
const POSITION: Release = Release {
    insert: "INSERT INTO positions (vehicle_id, at, latitude, longitude) VALUES ($1::bigint, \
             timestamptz '2025-03-01 00:00+00' + (trunc($2::numeric)::integer % 2) * interval '1 year', $2::numeric, $3::numeric)",
    update: "UPDATE positions SET latitude = $2::numeric, longitude = $3::numeric, \
             at = timestamptz '2025-03-01 00:00+00' + (trunc($2::numeric)::integer % 2) * interval '1 year' WHERE vehicle_id = $1::bigint",
    read: "SELECT latitude::text, longitude::text FROM positions WHERE vehicle_id = $1::bigint",
    delete: "DELETE FROM positions WHERE vehicle_id = $1::bigint",
    values: |number| {
        words([
            format!("{}.{:05}", number % 90, number % 99_991),
            format!("{}.{:05}", number % 180, number % 99_989),
        ])
    },
};
const RENAME_POSITION: &str = "version: 1\nname: rename-latitude\nchange:\n  rename_column: {table: public.positions, from: latitude, to: lat}\n";
const LAT: Release = Release {
    insert: "INSERT INTO positions (vehicle_id, at, lat, longitude) VALUES ($1::bigint, \
             timestamptz '2025-03-01 00:00+00' + (trunc($2::numeric)::integer % 2) * interval '1 year', $2::numeric, $3::numeric)",
    update: "UPDATE positions SET lat = $2::numeric, longitude = $3::numeric, \
             at = timestamptz '2025-03-01 00:00+00' + (trunc($2::numeric)::integer % 2) * interval '1 year' WHERE vehicle_id = $1::bigint",
    read: "SELECT lat::text, longitude::text FROM positions WHERE vehicle_id = $1::bigint",
    ..POSITION
};
const BOOKING: Release = Release {
    insert: "INSERT INTO bookings (vehicle_id, during, priority, channel) VALUES ($1::bigint, '[2026-01-01,2026-01-02)', $2, $3::booking_channel)",
    update: "UPDATE bookings SET priority = $2, channel = $3::booking_channel WHERE vehicle_id = $1::bigint",
    read: "SELECT priority::text, channel::text FROM bookings WHERE vehicle_id = $1::bigint",
    delete: "DELETE FROM bookings WHERE vehicle_id = $1::bigint",
    values: |number| {
        let place = usize::try_from(number).unwrap_or(0);
        words([
            ["low", "normal", "high"][place / 2 % 3].to_owned(),
            ["phone", "web"][place % 2].to_owned(),
        ])
    },
};
const CHANNEL_BESIDE: Release = Release {
    insert: "INSERT INTO bookings (vehicle_id, during, priority, channel_new) VALUES ($1::bigint, '[2026-01-01,2026-01-02)', $2, $3)",
    update: "UPDATE bookings SET priority = $2, channel_new = $3 WHERE vehicle_id = $1::bigint",
    read: "SELECT priority::text, channel_new FROM bookings WHERE vehicle_id = $1::bigint",
    ..BOOKING
};
const CHANNEL_TEXT: Release = Release {
    insert: "INSERT INTO bookings (vehicle_id, during, priority, channel) VALUES ($1::bigint, '[2026-01-01,2026-01-02)', $2, $3)",
    update: "UPDATE bookings SET priority = $2, channel = $3 WHERE vehicle_id = $1::bigint",
    ..BOOKING
};
const PRIORITY_BESIDE: Release = Release {
    insert: "INSERT INTO bookings (vehicle_id, during, priority_new, channel) VALUES ($1::bigint, '[2026-01-01,2026-01-02)', \
             $2::booking_priority, $3::booking_channel)",
    update: "UPDATE bookings SET priority_new = $2::booking_priority, channel = $3::booking_channel WHERE vehicle_id = $1::bigint",
    read: "SELECT priority_new::text, channel::text FROM bookings WHERE vehicle_id = $1::bigint",
    ..BOOKING
};
const PRIORITY_ENUM: Release = Release {
    insert: "INSERT INTO bookings (vehicle_id, during, priority, channel) VALUES ($1::bigint, '[2026-01-01,2026-01-02)', \
             $2::booking_priority, $3::booking_channel)",
    update: "UPDATE bookings SET priority = $2::booking_priority, channel = $3::booking_channel WHERE vehicle_id = $1::bigint",
    ..BOOKING
};
const DEPOT: Release = Release {
    insert: "INSERT INTO depots (code, name) VALUES ('K' || $1, $2)",
    update: "UPDATE depots SET name = $2 WHERE code = 'K' || $1",
    read: "SELECT name FROM depots WHERE code = 'K' || $1",
    delete: "DELETE FROM depots WHERE code = 'K' || $1",
    values: |number| words([format!("Depot {number}")]),
};

/// Those in which two versions write differently.
pub const TWO_SIDED: [Case; 18] = [
    two("vehicles-rename-status.yaml", VEHICLE, VEHICLE_STATUS),
    two("vehicles-several-changes.yaml", VEHICLE, VEHICLE_STATUS),
    two("users-and-shipments.yaml", PERSON, DISPLAY_NAME),
    two("inventory-rename-batch.yaml", ITEM, BATCH_NUMBER),
    two("inventory-merge-lot.yaml", LOT, SKU),
    two("users-split-name.yaml", PERSON, TWO_NAMES),
    two("shipments-transform-dates.yaml", SHIPMENT, METRIC),
    two("shipments-extract-dispatch.yaml", SENT, DISPATCH),
    two("acknowledgments-fold.yaml", ACKNOWLEDGED, SIGNED),
    Case {
        new_from: "retire",
        ..two("sync-status-move-attempts.yaml", ATTEMPTS, ATTEMPTS_MOVED)
    },
    three("vehicles-narrow-plate.yaml", VEHICLE, SHORT_PLATE, VEHICLE),
    three(
        "inventory-quantity-decimal.yaml",
        ITEM,
        DECIMAL_BESIDE,
        ITEM,
    ),
    three(
        "bookings-channel-text.yaml",
        BOOKING,
        CHANNEL_BESIDE,
        CHANNEL_TEXT,
    ),
    three(
        "bookings-priority-enum.yaml",
        BOOKING,
        PRIORITY_BESIDE,
        PRIORITY_ENUM,
    ),
    Case {
        keys: 0,
        ..two(RENAME_POSITION, POSITION, LAT)
    },
    Case {
        old_until: "contract",
        new_from: "expand",
        ..two("vehicles-rename-status-alias.yaml", VEHICLE, VEHICLE_STATUS)
    },
    Case {
        old_until: "contract",
        new_from: "expand",
        ..two("acknowledgments-rename-table.yaml", ACKNOWLEDGED, PROOF)
    },
    Case {
        new_from: "expand",
        ..two("vehicles-drop-radio-code.yaml", VEHICLE, NO_RADIO)
    },
];

/// Those that change the schema around an application that stays as it is, or is replaced at the end.
pub const ONE_SIDED: [Case; 34] = [
    same("users-lower-email.yaml", PERSON, 80),
    same("orders-widen-key.yaml", ORDER, 80),
    same("categories-widen-key.yaml", CATEGORY, 80),
    Case {
        old_until: "contract",
        ..two("vehicles-add-plate-key.yaml", VEHICLE, PLATE_KEY)
    },
    same("positions-add-index.yaml", POSITION, 0),
    same("inventory-add-value.yaml", ITEM, 80),
    same("users-add-token.yaml", PERSON, 80),
    same("users-require-email.yaml", PERSON, 80),
    same("users-unique-email.yaml", PERSON, 80),
    same("shipments-reference-vehicle.yaml", SHIPMENT, 80),
    same("vehicles-check-mileage.yaml", VEHICLE, 80),
    same("depots-primary-key.yaml", DEPOT, 0),
    same("bookings-exclude-overlap.yaml", BOOKING, 80),
    same("users-normalize-email.yaml", PERSON, 80),
    same("vehicles-drop-color-index.yaml", VEHICLE, 80),
    same("vehicles-drop-mileage-limit.yaml", VEHICLE, 80),
    same("vehicles-drop-plate-unique.yaml", VEHICLE, 80),
    same("vehicles-radio-code-optional.yaml", VEHICLE, 80),
    same("vehicles-rebuild-status-index.yaml", VEHICLE, 80),
    same("vehicles-status-statistics.yaml", VEHICLE, 80),
    same("vehicles-comment-mileage.yaml", VEHICLE, 80),
    same("inventory-add-note.yaml", ITEM, 80),
    same("inventory-default-quantity.yaml", ITEM, 80),
    same("inventory-drop-default.yaml", ITEM, 80),
    same("users-add-email-index.yaml", PERSON, 80),
    same("users-add-plan.yaml", PERSON, 80),
    same("shipments-note-varchar.yaml", ACKNOWLEDGED, 80),
    same("shipments-replica-identity.yaml", SHIPMENT, 80),
    same("shipments-widen-carrier.yaml", SHIPMENT, 80),
    same("shipments-create-state.yaml", SHIPMENT, 80),
    same("sync-status-drop.yaml", SHIPMENT, 80),
    same("sync-status-rename-constraint.yaml", ATTEMPTS, 80),
    same("trips-create.yaml", VEHICLE, 80),
    same("depots-add-kind.yaml", DEPOT, 0),
];
