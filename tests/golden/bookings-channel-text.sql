-- What this plan runs, phase by phase, and what undoes each step: as `crossfade explain` shows it.
-- Written by a test (tests/integration/golden.rs). $1, $2 …: the bounds of a batch.


-- ======== expand

-- add_column:public.bookings.channel_new
ALTER TABLE public.bookings ADD COLUMN channel_new text;
-- undo:
ALTER TABLE public.bookings DROP COLUMN channel_new;


-- ======== dual_write

-- sync_columns:public.bookings
CREATE SEQUENCE IF NOT EXISTS crossfade."old_booking-channel-as-text_0e03477e";
CREATE SEQUENCE IF NOT EXISTS crossfade."new_booking-channel-as-text_0e03477e";
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_booking-channel-as-text_0e03477e";
CREATE OR REPLACE FUNCTION crossfade."sync_booking-channel-as-text_0e03477e"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
-- crossfade: run booking-channel-as-text, table public.bookings; keeps both sides of a change in step, filling rows as they move
DECLARE
  crossfade_side text;
  crossfade_old_write boolean := false;
  crossfade_new_write boolean := false;
  crossfade_untold_write boolean := false;
  crossfade_writer text;
  crossfade_context text;
  crossfade_names_new boolean;
  crossfade_count bigint;
  crossfade_state text;
  crossfade_error text;
BEGIN
  IF (tg_table_name <> 'bookings' OR tg_table_schema <> 'public')
    AND pg_partition_root(tg_relid) IS DISTINCT FROM to_regclass('public.bookings')
    AND NOT crossfade.is_made_for('sync_booking-channel-as-text_0e03477e', 'public.bookings', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "sync_booking-channel-as-text_0e03477e" is for the table public.bookings only';
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('booking-channel-as-text') THEN
    RETURN new;
  END IF;
  IF tg_op = 'INSERT' THEN
    crossfade_writer := coalesce(current_setting('crossfade.writer', true), '');
    crossfade_side := CASE
      WHEN new."channel_new" IS NOT NULL
      THEN 'new'
      WHEN new."channel" IS NOT NULL
      THEN 'old'
      ELSE 'none' END;
    IF crossfade_writer = 'old' AND crossfade_side = 'new' AND (new."channel" IS NOT NULL) THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'bookings') > 0
        AND (strpos(lower(current_query()), 'channel_new') = 0 OR NOT (current_query() ~* E'\\mchannel_new\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'bookings'], ARRAY['channel_new']::text[], ARRAY['channel']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_side = 'old' OR crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'bookings') > 0
        AND (strpos(lower(current_query()), 'channel_new') = 0 OR NOT (current_query() ~* E'\\mchannel_new\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'bookings'], ARRAY['channel_new']::text[], ARRAY['channel']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write OR NOT ((new."channel")::text IS DISTINCT FROM 'web');
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF new."channel_new" IS DISTINCT FROM old."channel_new" THEN
    crossfade_side := 'new';
  ELSIF pg_catalog.record_image_ne(ROW(new."channel"), ROW(old."channel")) THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    BEGIN
      <<"bookings">>
      DECLARE
        "channel_new" text := "sync_booking-channel-as-text_0e03477e".new."channel_new";
      BEGIN
        "sync_booking-channel-as-text_0e03477e".new."channel" := ((channel_new)::public.booking_channel
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'booking-channel-as-text'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.bookings', 'channel', pg_catalog.jsonb_build_object(), pg_catalog.jsonb_build_object('channel_new', new."channel_new"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'booking-channel-as-text'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF ((new."channel")::text IS DISTINCT FROM 'web' OR left(current_query(), 10000) ~* E'\\mchannel\\M') THEN
      crossfade_old_write := true;
    END IF;
    BEGIN
      <<"bookings">>
      DECLARE
        "channel" public.booking_channel := "sync_booking-channel-as-text_0e03477e".new."channel";
      BEGIN
        "sync_booking-channel-as-text_0e03477e".new."channel_new" := ((channel)::text
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      new."channel_new" := NULL;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'booking-channel-as-text'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.bookings', 'channel_new', pg_catalog.jsonb_build_object(), pg_catalog.jsonb_build_object('channel', new."channel"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'booking-channel-as-text'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSE
    IF (new."channel_new" IS NULL AND (new."channel" IS NOT NULL)) THEN
      BEGIN
        <<"bookings">>
        DECLARE
          "channel" public.booking_channel := "sync_booking-channel-as-text_0e03477e".new."channel";
        BEGIN
          "sync_booking-channel-as-text_0e03477e".new."channel_new" := ((channel)::text
          );
        END;
      EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
        new."channel_new" := NULL;
        IF EXISTS (SELECT 1
          FROM crossfade.runs AS crossfade_active
          WHERE crossfade_active.name = 'booking-channel-as-text'
          AND crossfade_active.state = 'active') THEN
          INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
            SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
            FROM crossfade.runs AS r, (
              VALUES ('public.bookings', 'channel_new', pg_catalog.jsonb_build_object(), pg_catalog.jsonb_build_object('channel', new."channel"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
            WHERE r.name = 'booking-channel-as-text'
              AND r.state = 'active'
              AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
              WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
        END IF;
      END;
    END IF;
    IF tg_op = 'INSERT' THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'bookings') > 0
        AND (strpos(lower(current_query()), 'channel_new') = 0 OR NOT (current_query() ~* E'\\mchannel_new\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'bookings'], ARRAY['channel_new']::text[], ARRAY['channel']::text[]) END;
      IF crossfade_names_new IS NOT TRUE THEN
        BEGIN
          <<"bookings">>
          DECLARE
            "channel" public.booking_channel := "sync_booking-channel-as-text_0e03477e".new."channel";
          BEGIN
            "sync_booking-channel-as-text_0e03477e".new."channel_new" := ((channel)::text
            );
          END;
        EXCEPTION WHEN OTHERS THEN
          GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
          new."channel_new" := NULL;
          IF EXISTS (SELECT 1
            FROM crossfade.runs AS crossfade_active
            WHERE crossfade_active.name = 'booking-channel-as-text'
            AND crossfade_active.state = 'active') THEN
            INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
              SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
              FROM crossfade.runs AS r, (
                VALUES ('public.bookings', 'channel_new', pg_catalog.jsonb_build_object(), pg_catalog.jsonb_build_object('channel', new."channel"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
              WHERE r.name = 'booking-channel-as-text'
                AND r.state = 'active'
                AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
                WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
          END IF;
        END;
      END IF;
    END IF;
  END IF;
  IF crossfade_new_write THEN
    crossfade_count := nextval('crossfade."new_booking-channel-as-text_0e03477e"'::regclass);
  END IF;
  IF crossfade_old_write THEN
    crossfade_count := nextval('crossfade."old_booking-channel-as-text_0e03477e"'::regclass);
  END IF;
  IF crossfade_untold_write THEN
    crossfade_count := nextval('crossfade."untold_booking-channel-as-text_0e03477e"'::regclass);
  END IF;
  RETURN new;
END;
$crossfade$;
SELECT crossfade.keep_function('sync_booking-channel-as-text_0e03477e', 'public.bookings');
CREATE OR REPLACE TRIGGER "zz_crossfade_booking-channel-as-text_u" BEFORE UPDATE ON public.bookings FOR EACH ROW
  WHEN (pg_catalog.record_image_ne(ROW(new."channel"), ROW(old."channel"))
    OR new."channel_new" IS DISTINCT FROM old."channel_new"
    OR (new."channel_new" IS NULL
      AND (new."channel" IS NOT NULL))) EXECUTE FUNCTION crossfade."sync_booking-channel-as-text_0e03477e"();
CREATE OR REPLACE TRIGGER "zz_crossfade_booking-channel-as-text_i" BEFORE INSERT ON public.bookings FOR EACH ROW EXECUTE FUNCTION crossfade."sync_booking-channel-as-text_0e03477e"();
-- undo:
DROP TRIGGER IF EXISTS "zz_crossfade_booking-channel-as-text_i" ON public.bookings;
DROP TRIGGER IF EXISTS "zz_crossfade_booking-channel-as-text_u" ON public.bookings;
DROP FUNCTION IF EXISTS crossfade."sync_booking-channel-as-text_0e03477e"();
DROP SEQUENCE IF EXISTS crossfade."old_booking-channel-as-text_0e03477e";
DROP SEQUENCE IF EXISTS crossfade."new_booking-channel-as-text_0e03477e";
DROP SEQUENCE IF EXISTS crossfade."untold_booking-channel-as-text_0e03477e";


-- ======== backfill
-- gate: the triggers are in place

-- fill:public.bookings
UPDATE ONLY public.bookings AS "bookings" SET channel_new = ((channel)::text
)
  WHERE ctid >= ($1::text)::tid
  AND ctid < ($2::text)::tid
  AND CASE
  WHEN ctid >= (SELECT ($1::text)::tid)
  AND ctid < (SELECT ($2::text)::tid)
  THEN (channel_new IS NULL AND ((channel)::text
  ) IS NOT NULL) ELSE false END;
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_booking-channel-as-text_0e03477e";
CREATE OR REPLACE FUNCTION crossfade."sync_booking-channel-as-text_0e03477e"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
-- crossfade: run booking-channel-as-text, table public.bookings; keeps both sides of a change in step, not filling
DECLARE
  crossfade_side text;
  crossfade_old_write boolean := false;
  crossfade_new_write boolean := false;
  crossfade_untold_write boolean := false;
  crossfade_writer text;
  crossfade_context text;
  crossfade_names_new boolean;
  crossfade_count bigint;
  crossfade_state text;
  crossfade_error text;
BEGIN
  IF (tg_table_name <> 'bookings' OR tg_table_schema <> 'public')
    AND pg_partition_root(tg_relid) IS DISTINCT FROM to_regclass('public.bookings')
    AND NOT crossfade.is_made_for('sync_booking-channel-as-text_0e03477e', 'public.bookings', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "sync_booking-channel-as-text_0e03477e" is for the table public.bookings only';
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('booking-channel-as-text') THEN
    RETURN new;
  END IF;
  IF tg_op = 'INSERT' THEN
    crossfade_writer := coalesce(current_setting('crossfade.writer', true), '');
    crossfade_side := CASE
      WHEN new."channel_new" IS NOT NULL
      THEN 'new'
      WHEN new."channel" IS NOT NULL
      THEN 'old'
      ELSE 'none' END;
    IF crossfade_writer = 'old' AND crossfade_side = 'new' AND (new."channel" IS NOT NULL) THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'bookings') > 0
        AND (strpos(lower(current_query()), 'channel_new') = 0 OR NOT (current_query() ~* E'\\mchannel_new\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'bookings'], ARRAY['channel_new']::text[], ARRAY['channel']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_side = 'old' OR crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'bookings') > 0
        AND (strpos(lower(current_query()), 'channel_new') = 0 OR NOT (current_query() ~* E'\\mchannel_new\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'bookings'], ARRAY['channel_new']::text[], ARRAY['channel']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write OR NOT ((new."channel")::text IS DISTINCT FROM 'web');
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF new."channel_new" IS DISTINCT FROM old."channel_new" THEN
    crossfade_side := 'new';
  ELSIF pg_catalog.record_image_ne(ROW(new."channel"), ROW(old."channel")) THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    BEGIN
      <<"bookings">>
      DECLARE
        "channel_new" text := "sync_booking-channel-as-text_0e03477e".new."channel_new";
      BEGIN
        "sync_booking-channel-as-text_0e03477e".new."channel" := ((channel_new)::public.booking_channel
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'booking-channel-as-text'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.bookings', 'channel', pg_catalog.jsonb_build_object(), pg_catalog.jsonb_build_object('channel_new', new."channel_new"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'booking-channel-as-text'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF ((new."channel")::text IS DISTINCT FROM 'web' OR left(current_query(), 10000) ~* E'\\mchannel\\M') THEN
      crossfade_old_write := true;
    END IF;
    BEGIN
      <<"bookings">>
      DECLARE
        "channel" public.booking_channel := "sync_booking-channel-as-text_0e03477e".new."channel";
      BEGIN
        "sync_booking-channel-as-text_0e03477e".new."channel_new" := ((channel)::text
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      new."channel_new" := NULL;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'booking-channel-as-text'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.bookings', 'channel_new', pg_catalog.jsonb_build_object(), pg_catalog.jsonb_build_object('channel', new."channel"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'booking-channel-as-text'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSE
    IF tg_op = 'INSERT' THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'bookings') > 0
        AND (strpos(lower(current_query()), 'channel_new') = 0 OR NOT (current_query() ~* E'\\mchannel_new\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'bookings'], ARRAY['channel_new']::text[], ARRAY['channel']::text[]) END;
      IF crossfade_names_new IS NOT TRUE THEN
        BEGIN
          <<"bookings">>
          DECLARE
            "channel" public.booking_channel := "sync_booking-channel-as-text_0e03477e".new."channel";
          BEGIN
            "sync_booking-channel-as-text_0e03477e".new."channel_new" := ((channel)::text
            );
          END;
        EXCEPTION WHEN OTHERS THEN
          GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
          new."channel_new" := NULL;
          IF EXISTS (SELECT 1
            FROM crossfade.runs AS crossfade_active
            WHERE crossfade_active.name = 'booking-channel-as-text'
            AND crossfade_active.state = 'active') THEN
            INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
              SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
              FROM crossfade.runs AS r, (
                VALUES ('public.bookings', 'channel_new', pg_catalog.jsonb_build_object(), pg_catalog.jsonb_build_object('channel', new."channel"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
              WHERE r.name = 'booking-channel-as-text'
                AND r.state = 'active'
                AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
                WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
          END IF;
        END;
      END IF;
    END IF;
  END IF;
  IF crossfade_new_write THEN
    crossfade_count := nextval('crossfade."new_booking-channel-as-text_0e03477e"'::regclass);
  END IF;
  IF crossfade_old_write THEN
    crossfade_count := nextval('crossfade."old_booking-channel-as-text_0e03477e"'::regclass);
  END IF;
  IF crossfade_untold_write THEN
    crossfade_count := nextval('crossfade."untold_booking-channel-as-text_0e03477e"'::regclass);
  END IF;
  RETURN new;
END;
$crossfade$;
SELECT crossfade.keep_function('sync_booking-channel-as-text_0e03477e', 'public.bookings');
CREATE OR REPLACE TRIGGER "zz_crossfade_booking-channel-as-text_u" BEFORE UPDATE ON public.bookings FOR EACH ROW
  WHEN (pg_catalog.record_image_ne(ROW(new."channel"), ROW(old."channel"))
    OR new."channel_new" IS DISTINCT FROM old."channel_new") EXECUTE FUNCTION crossfade."sync_booking-channel-as-text_0e03477e"();
-- undo:
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_booking-channel-as-text_0e03477e";
CREATE OR REPLACE FUNCTION crossfade."sync_booking-channel-as-text_0e03477e"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
  -- … the same as in dual_write, sync_columns:public.bookings
SELECT crossfade.keep_function('sync_booking-channel-as-text_0e03477e', 'public.bookings');
CREATE OR REPLACE TRIGGER "zz_crossfade_booking-channel-as-text_u" BEFORE UPDATE ON public.bookings FOR EACH ROW
  WHEN (pg_catalog.record_image_ne(ROW(new."channel"), ROW(old."channel"))
    OR new."channel_new" IS DISTINCT FROM old."channel_new"
    OR (new."channel_new" IS NULL
      AND (new."channel" IS NOT NULL))) EXECUTE FUNCTION crossfade."sync_booking-channel-as-text_0e03477e"();


-- ======== verify
-- gate: no row in quarantine
-- gate: the triggers are in place

-- match:public.bookings
SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (
  WHERE CASE
  WHEN (channel_new IS NULL
    AND (SELECT EXISTS (SELECT
      FROM crossfade.quarantine AS crossfade_q JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_q.run_id
      WHERE crossfade_r.state = 'active'
      AND crossfade_q.accepted_at IS NOT NULL
      AND crossfade_q.direction = 'forward'
      AND crossfade_q.table_name = 'public.bookings'
      AND crossfade_q.column_name = 'channel_new'))
    AND (pg_catalog.jsonb_build_object(), pg_catalog.jsonb_build_object('channel', channel)) IN (SELECT crossfade_q.row_key, crossfade_q.row_values
      FROM crossfade.quarantine AS crossfade_q JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_q.run_id
      WHERE crossfade_r.state = 'active'
      AND crossfade_q.accepted_at IS NOT NULL
      AND crossfade_q.direction = 'forward'
      AND crossfade_q.table_name = 'public.bookings'
      AND crossfade_q.column_name = 'channel_new'))
  OR ((SELECT EXISTS (SELECT
    FROM crossfade.quarantine AS crossfade_q JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_q.run_id
    WHERE crossfade_r.state = 'active'
    AND crossfade_q.accepted_at IS NOT NULL
    AND crossfade_q.direction = 'backward'
    AND crossfade_q.table_name = 'public.bookings'
    AND crossfade_q.column_name = 'channel'))
    AND (pg_catalog.jsonb_build_object(), pg_catalog.jsonb_build_object('channel_new', channel_new)) IN (SELECT crossfade_q.row_key, crossfade_q.row_values
      FROM crossfade.quarantine AS crossfade_q JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_q.run_id
      WHERE crossfade_r.state = 'active'
      AND crossfade_q.accepted_at IS NOT NULL
      AND crossfade_q.direction = 'backward'
      AND crossfade_q.table_name = 'public.bookings'
      AND crossfade_q.column_name = 'channel'))
  THEN false
  ELSE NOT ((NOT (channel_new IS DISTINCT FROM ((channel)::text
        )::text)) OR (NOT (pg_catalog.record_image_ne(ROW(channel), ROW(((channel_new)::public.booking_channel
            )::public.booking_channel))))) END)
              FROM (SELECT ctid AS crossfade_tid, xmin AS crossfade_xmin, channel AS channel, channel_new AS channel_new
                FROM ONLY public.bookings
                WHERE ctid >= ($1::text)::tid
                AND ctid < ($2::text)::tid) AS "bookings";


-- ======== enforce
-- gate: no row in quarantine
-- gate: the triggers are in place

-- create_index:bookings_channel_crossfade
CREATE INDEX CONCURRENTLY bookings_channel_crossfade ON public.bookings USING btree (channel_new);
-- undo:
DROP INDEX CONCURRENTLY IF EXISTS public.bookings_channel_crossfade;


-- ======== switch_reads
-- gate: no row in quarantine
-- gate: the triggers are in place


-- ======== retire
-- gate: no row in quarantine
-- gate: the triggers are in place
-- gate: no database object names public.bookings.channel

-- retire_column:public.bookings.channel
ALTER TABLE public.bookings RENAME COLUMN channel TO channel_crossfade_retired;
ALTER TABLE public.bookings RENAME COLUMN channel_new TO channel;
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_booking-channel-as-text_0e03477e";
CREATE OR REPLACE FUNCTION crossfade."sync_booking-channel-as-text_0e03477e"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
-- crossfade: run booking-channel-as-text, table public.bookings; keeps both sides of a change in step, not filling
DECLARE
  crossfade_side text;
  crossfade_old_write boolean := false;
  crossfade_new_write boolean := false;
  crossfade_untold_write boolean := false;
  crossfade_writer text;
  crossfade_context text;
  crossfade_names_new boolean;
  crossfade_count bigint;
  crossfade_state text;
  crossfade_error text;
BEGIN
  IF (tg_table_name <> 'bookings' OR tg_table_schema <> 'public')
    AND pg_partition_root(tg_relid) IS DISTINCT FROM to_regclass('public.bookings')
    AND NOT crossfade.is_made_for('sync_booking-channel-as-text_0e03477e', 'public.bookings', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "sync_booking-channel-as-text_0e03477e" is for the table public.bookings only';
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('booking-channel-as-text') THEN
    RETURN new;
  END IF;
  IF tg_op = 'INSERT' THEN
    crossfade_writer := coalesce(current_setting('crossfade.writer', true), '');
    crossfade_side := CASE
      WHEN new."channel" IS NOT NULL
      THEN 'new'
      WHEN new."channel_crossfade_retired" IS NOT NULL
      THEN 'old'
      ELSE 'none' END;
    IF crossfade_writer = 'old' AND crossfade_side = 'new' AND (new."channel_crossfade_retired" IS NOT NULL) THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'bookings') > 0
        AND (strpos(lower(current_query()), 'channel') = 0 OR NOT (current_query() ~* E'\\mchannel\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'bookings'], ARRAY['channel']::text[], ARRAY['channel_crossfade_retired']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_side = 'old' OR crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'bookings') > 0
        AND (strpos(lower(current_query()), 'channel') = 0 OR NOT (current_query() ~* E'\\mchannel\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'bookings'], ARRAY['channel']::text[], ARRAY['channel_crossfade_retired']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write
          OR NOT ((new."channel_crossfade_retired")::text IS DISTINCT FROM 'web');
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF new."channel" IS DISTINCT FROM old."channel" THEN
    crossfade_side := 'new';
  ELSIF pg_catalog.record_image_ne(ROW(new."channel_crossfade_retired"), ROW(old."channel_crossfade_retired")) THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    BEGIN
      <<"bookings">>
      DECLARE
        "channel_new" text := "sync_booking-channel-as-text_0e03477e".new."channel";
      BEGIN
        "sync_booking-channel-as-text_0e03477e".new."channel_crossfade_retired" := ((channel_new)::public.booking_channel
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'booking-channel-as-text'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.bookings', 'channel', pg_catalog.jsonb_build_object(), pg_catalog.jsonb_build_object('channel_new', new."channel"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'booking-channel-as-text'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF ((new."channel_crossfade_retired")::text IS DISTINCT FROM 'web'
      OR left(current_query(), 10000) ~* E'\\mchannel_crossfade_retired\\M') THEN
      crossfade_old_write := true;
    END IF;
    BEGIN
      <<"bookings">>
      DECLARE
        "channel" public.booking_channel := "sync_booking-channel-as-text_0e03477e".new."channel_crossfade_retired";
      BEGIN
        "sync_booking-channel-as-text_0e03477e".new."channel" := ((channel)::text
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      new."channel" := NULL;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'booking-channel-as-text'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.bookings', 'channel_new', pg_catalog.jsonb_build_object(), pg_catalog.jsonb_build_object('channel', new."channel_crossfade_retired"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'booking-channel-as-text'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSE
    IF tg_op = 'INSERT' THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'bookings') > 0
        AND (strpos(lower(current_query()), 'channel') = 0 OR NOT (current_query() ~* E'\\mchannel\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'bookings'], ARRAY['channel']::text[], ARRAY['channel_crossfade_retired']::text[]) END;
      IF crossfade_names_new IS NOT TRUE THEN
        BEGIN
          <<"bookings">>
          DECLARE
            "channel" public.booking_channel := "sync_booking-channel-as-text_0e03477e".new."channel_crossfade_retired";
          BEGIN
            "sync_booking-channel-as-text_0e03477e".new."channel" := ((channel)::text
            );
          END;
        EXCEPTION WHEN OTHERS THEN
          GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
          new."channel" := NULL;
          IF EXISTS (SELECT 1
            FROM crossfade.runs AS crossfade_active
            WHERE crossfade_active.name = 'booking-channel-as-text'
            AND crossfade_active.state = 'active') THEN
            INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
              SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
              FROM crossfade.runs AS r, (
                VALUES ('public.bookings', 'channel_new', pg_catalog.jsonb_build_object(), pg_catalog.jsonb_build_object('channel', new."channel_crossfade_retired"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
              WHERE r.name = 'booking-channel-as-text'
                AND r.state = 'active'
                AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
                WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
          END IF;
        END;
      END IF;
    END IF;
  END IF;
  IF crossfade_new_write THEN
    crossfade_count := nextval('crossfade."new_booking-channel-as-text_0e03477e"'::regclass);
  END IF;
  IF crossfade_old_write THEN
    crossfade_count := nextval('crossfade."old_booking-channel-as-text_0e03477e"'::regclass);
  END IF;
  IF crossfade_untold_write THEN
    crossfade_count := nextval('crossfade."untold_booking-channel-as-text_0e03477e"'::regclass);
  END IF;
  RETURN new;
END;
$crossfade$;
-- undo:
ALTER TABLE public.bookings RENAME COLUMN channel TO channel_new;
ALTER TABLE public.bookings RENAME COLUMN channel_crossfade_retired TO channel;
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_booking-channel-as-text_0e03477e";
CREATE OR REPLACE FUNCTION crossfade."sync_booking-channel-as-text_0e03477e"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
  -- … the same as in backfill, fill:public.bookings

-- set_not_null:public.bookings.channel
ALTER TABLE public.bookings ADD CONSTRAINT channel_crossfade_not_null CHECK (channel IS NOT NULL) NOT VALID;
ALTER TABLE public.bookings VALIDATE CONSTRAINT channel_crossfade_not_null;
ALTER TABLE public.bookings ALTER COLUMN channel SET NOT NULL;
ALTER TABLE public.bookings DROP CONSTRAINT IF EXISTS channel_crossfade_not_null;
-- undo:
ALTER TABLE public.bookings ALTER COLUMN channel DROP NOT NULL;
ALTER TABLE public.bookings DROP CONSTRAINT IF EXISTS channel_crossfade_not_null;


-- ======== contract, one transaction
-- gate: no row in quarantine
-- gate: the triggers are in place
-- gate: no database object names public.bookings.channel

-- drop_sync:public.bookings
DROP TRIGGER IF EXISTS "zz_crossfade_booking-channel-as-text_i" ON public.bookings;
DROP TRIGGER IF EXISTS "zz_crossfade_booking-channel-as-text_u" ON public.bookings;
DROP FUNCTION IF EXISTS crossfade."sync_booking-channel-as-text_0e03477e"();
DROP SEQUENCE IF EXISTS crossfade."old_booking-channel-as-text_0e03477e";
DROP SEQUENCE IF EXISTS crossfade."new_booking-channel-as-text_0e03477e";
DROP SEQUENCE IF EXISTS crossfade."untold_booking-channel-as-text_0e03477e";
-- cannot be undone

-- set_default:public.bookings.channel
ALTER TABLE public.bookings ALTER COLUMN channel
  SET DEFAULT (('web'::public.booking_channel)::public.booking_channel)::text;
-- undo:
ALTER TABLE public.bookings ALTER COLUMN channel DROP DEFAULT;

-- drop_column:public.bookings.channel
ALTER TABLE public.bookings DROP COLUMN channel_crossfade_retired;
-- cannot be undone

-- rename_object:public.bookings_channel_crossfade
ALTER INDEX public.bookings_channel_crossfade RENAME TO bookings_channel;
-- cannot be undone
