-- What the triggers that keep two sides in step ask of: which version an INSERT is from, and whether they fire for the table
-- that they were made for. Their functions have their owner's rights: nobody else may attach one to a table.

-- A name in a statement, as the server reads it.
CREATE FUNCTION crossfade.folded(name text) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $crossfade$
DECLARE
    bare CONSTANT text := btrim(name, E' \t\r\n\f');
BEGIN
    IF bare LIKE '"%"' THEN
        RETURN replace(substr(bare, 2, length(bare) - 2), '""', '"');
    END IF;
    RETURN lower(bare);
END;
$crossfade$;

-- A statement without its literals and comments. Names in quotation marks stay. NULL where it could be taken apart wrongly.
CREATE FUNCTION crossfade.without_literals(statement text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $crossfade$
DECLARE
    escaped CONSTANT text := $re$'(?:[^'\\]|\\.|'')*'$re$;
    plain CONSTANT text := CASE current_setting('standard_conforming_strings') WHEN 'on' THEN $re$'[^']*'$re$ ELSE escaped END;
    bare text;
BEGIN
    bare := regexp_replace(statement, $re$("(?:[^"]|"")*")|\me$re$ || escaped || '|' || plain
        || $re$|--[^\n\r]*|/\*(?:[^*]|\*+[^*/])*\*+/|\$\$(?:[^$]|\$[^$])*\$\$$re$, '\1 ', 'gi');
    -- Literals in named dollar quotes, comments within comments, and names with what separates names.
    IF bare ~ $re$\$[[:alpha:]_]\w*\$|\*/$re$ OR strpos(bare, '"') > 0 AND EXISTS (
        SELECT FROM regexp_matches(bare, '"(?:[^"]|"")*"', 'g') AS m (found) WHERE m.found[1] ~ '[(),]') THEN
        RETURN NULL;
    END IF;
    RETURN bare;
END;
$crossfade$;

-- Whether what follows the column list `names` gives one of these columns a value, be it NULL, in every row. False where it
-- says DEFAULT for them in every row, NULL where rows differ in that.
CREATE FUNCTION crossfade.gives_values(rest text, names text[], columns text[]) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $crossfade$
DECLARE
    named CONSTANT integer := cardinality(ARRAY(SELECT n.name FROM unnest(names) AS n (name) WHERE n.name = ANY (columns)));
    token text;
    depth integer := 0;
    place integer := 1;
    expects_row boolean := true;
    defaults integer := 0;
    rows_given integer := 0;
    rows_default integer := 0;
BEGIN
    IF rest !~* '\mdefault\M' THEN
        RETURN true;
    ELSIF rest !~* '^\s*(overriding\s+\w+\s+value\s*)?values\M' THEN
        -- The DEFAULT of a COPY stands for one in any row.
        RETURN CASE WHEN rest !~* '^\s*from\M' THEN true END;
    END IF;
    FOR token IN SELECT lower(m.found[1]) FROM regexp_matches(rest, '"(?:[^"]|"")*"|[](),;[]|\mdefault\M', 'gi') AS m (found) LOOP
        IF token IN ('(', '[') THEN
            EXIT WHEN depth = 0 AND NOT expects_row;
            depth := depth + 1;
            IF depth = 1 THEN
                place := 1;
                defaults := 0;
                expects_row := false;
            END IF;
        ELSIF token IN (')', ']') THEN
            depth := depth - 1;
            EXIT WHEN depth < 0;
            IF depth = 0 AND defaults = named THEN
                rows_default := rows_default + 1;
            ELSIF depth = 0 THEN
                rows_given := rows_given + 1;
            END IF;
        ELSIF token = ',' AND depth = 1 THEN
            place := place + 1;
        ELSIF token = ',' AND depth = 0 THEN
            expects_row := true;
        ELSIF token = ';' THEN
            EXIT;
        ELSIF token = 'default' AND depth = 1 AND names[place] = ANY (columns) THEN
            defaults := defaults + 1;
        END IF;
    END LOOP;
    RETURN CASE WHEN rows_default = 0 THEN true WHEN rows_given = 0 THEN false END;
END;
$crossfade$;

-- Whether the INSERT, MERGE or COPY by which a row comes names columns of the new side in its column list, and none of the
-- old side: then a NULL in them is meant. NULL where that cannot be told. `context` is the PG_CONTEXT of the trigger: the
-- statement of a function stands there, while `current_query()` is the one that called the function.
CREATE FUNCTION crossfade.names_new_side(context text, of_tables text[], new_columns text[], old_columns text[]) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $crossfade$
DECLARE
    name CONSTANT text := $re$(?:"(?:[^"]|"")*"|[^\s"'().,;]+)$re$;
    target CONSTANT text := '\s+((?:' || name || '\s*\.\s*)*)(' || name || ')\s*';
    list CONSTANT text := '\(([^()]*)\)';
    called_from CONSTANT text := substr(context, strpos(context || E'\n', E'\n') + 1);
    is_outermost boolean := true;
    statement text;
    bare text;
    key text;
    piece text;
    found text[];
    names text[];
    target_name text;
    rest text;
    is_ours boolean;
    verdict boolean;
    verdicts text[] := '{}';
    verdicts_elsewhere text[] := '{}';
BEGIN
    IF called_from LIKE 'SQL statement "%' THEN
        is_outermost := false;
        statement := split_part(substr(called_from, 16), E'"\nPL/pgSQL function ', 1);
    ELSIF called_from = '' OR called_from LIKE 'COPY %' AND strpos(called_from, E'\nSQL ') = 0 THEN
        statement := current_query();
    ELSE
        -- A function in SQL shows none of its text; messages may be in another language.
        RETURN NULL;
    END IF;
    IF octet_length(statement) > 4000000 THEN
        RETURN NULL;
    END IF;
    -- A long statement has many rows, and the answer for one is that for all. An application that sets this misleads itself
    -- only, as it could with crossfade.writer.
    IF is_outermost AND octet_length(statement) > 1000 THEN
        key := extract(epoch FROM statement_timestamp()) || of_tables::text || new_columns::text || ' ';
        IF starts_with(current_setting('crossfade.told', true), key) THEN
            RETURN nullif(substr(current_setting('crossfade.told', true), length(key) + 1), '')::boolean;
        END IF;
    END IF;
    -- Most statements are as simple as this, and done with quickly: each row asks.
    piece := left(statement, strpos(statement, ')'));
    bare := lower(piece);
    IF starts_with(bare, 'insert into ') AND translate(bare, '''-/$', '') = bare
        AND (strpos(bare, '"') = 0 OR piece = bare AND bare !~ '"[^",.(]*\s[^",.(]*"') THEN
        target_name := translate(substr(bare, 13, strpos(bare, '(') - 13), E'" \t\r\n', '');
        names := string_to_array(translate(substr(bare, strpos(bare, '(') + 1), E'") \t\r\n', ''), ',');
        rest := lower(substr(statement, length(piece) + 1));
        IF substr(target_name, strpos(target_name, '.') + 1) = ANY (of_tables)
            AND NOT (starts_with(names[1], 'select') OR starts_with(names[1], 'with') OR starts_with(names[1], 'values') OR starts_with(names[1], 'table'))
            AND strpos(rest, 'insert') = 0 AND strpos(rest, 'copy') = 0 AND strpos(rest, 'default') = 0 THEN
            verdict := names && new_columns AND NOT names && old_columns;
            IF key IS NOT NULL THEN
                PERFORM set_config('crossfade.told', key || verdict::text, true);
            END IF;
            RETURN verdict;
        END IF;
    END IF;
    bare := crossfade.without_literals(statement);
    IF is_outermost AND bare !~* '\m(insert|copy)\M' THEN
        found := regexp_match(bare, '\mexecute\s+(' || name || ')', 'i');
        SELECT crossfade.without_literals(p.statement) INTO bare FROM pg_prepared_statements AS p
            WHERE p.name = crossfade.folded(found[1]);
    END IF;
    FOR piece IN SELECT p.piece FROM regexp_split_to_table(bare, '(?<!")\m(?=(?:insert|copy)\M)', 'i') AS p (piece)
            WHERE p.piece ~* '^(insert|copy)\M' LOOP
        found := coalesce(
            regexp_match(piece, '^insert\s+into' || target || '(?:as\s+' || name || '\s*)?(?:' || list || ')?(.*)$', 'i'),
            regexp_match(piece, '^copy' || target || '(?:' || list || ')?(\s*from\M.*)$', 'i'),
            -- A MERGE names its table elsewhere.
            regexp_match(piece, '^insert\s*()()(?:' || list || '|(?=\s*(?:values|default|overriding)\M))(.*)$', 'i'));
        IF found IS NULL THEN
            -- COPY to somewhere brings no rows.
            CONTINUE WHEN piece ~* '^copy';
            verdicts := verdicts || '';
            CONTINUE;
        END IF;
        is_ours := found[2] = '' OR crossfade.folded(found[2]) = ANY (of_tables);
        names := '{}';
        -- `INSERT INTO t (SELECT …)` has no list.
        IF found[3] !~* '^\s*(select|with|values|table)\M' THEN
            names := ARRAY(SELECT crossfade.folded(n.name) FROM regexp_split_to_table(found[3], ',') AS n (name));
        END IF;
        verdict := names && new_columns AND NOT names && old_columns;
        IF verdict THEN
            verdict := crossfade.gives_values(found[4], names, new_columns);
        ELSIF NOT is_ours AND NOT names && old_columns THEN
            -- A view may call its columns otherwise.
            verdict := NULL;
        END IF;
        IF is_ours THEN
            verdicts := verdicts || coalesce(verdict::text, '');
        ELSE
            verdicts_elsewhere := verdicts_elsewhere || coalesce(verdict::text, '');
        END IF;
    END LOOP;
    -- By another name it is a partition or a view.
    IF verdicts = '{}' THEN
        verdicts := verdicts_elsewhere;
    END IF;
    verdict := CASE WHEN verdicts[1] = ALL (verdicts) THEN nullif(verdicts[1], '')::boolean END;
    IF key IS NOT NULL THEN
        PERFORM set_config('crossfade.told', key || coalesce(verdict::text, ''), true);
    END IF;
    RETURN verdict;
END;
$crossfade$;

-- Whether this session is a worker of the run: of its rows a trigger stands aside, and of nobody else's, whatever they set.
-- Another role's `backend_start` is hidden, and then the pid must do, for as long as the worker may be there.
CREATE FUNCTION crossfade.fills(of_run text) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $crossfade$
BEGIN
    RETURN EXISTS (SELECT FROM crossfade.workers AS w JOIN crossfade.runs AS r ON r.id = w.run_id
        WHERE r.name = of_run AND r.state = 'active' AND w.backend_pid = pg_backend_pid()
          AND coalesce((SELECT a.backend_start = w.backend_start FROM pg_stat_get_activity(pg_backend_pid()) AS a),
                       w.heartbeat > clock_timestamp() - interval '10 minutes'));
END;
$crossfade$;

-- What a trigger function notes of the table that it is made for: whoever renames that table takes the triggers along.
CREATE FUNCTION crossfade.made_for(relation oid) RETURNS text
LANGUAGE sql IMMUTABLE AS $crossfade$ SELECT pg_catalog.format('crossfade: made for relation %s', relation) $crossfade$;

-- Whether a trigger function of ours fires for its table, under whatever name, or for a partition of it.
CREATE FUNCTION crossfade.is_made_for(of_function text, of_table text, relation oid) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $crossfade$
DECLARE
    noted CONSTANT text := obj_description(to_regprocedure(format('crossfade.%I()', of_function)), 'pg_proc');
BEGIN
    RETURN EXISTS (SELECT FROM (SELECT relation UNION ALL SELECT p.relid FROM pg_partition_ancestors(relation) AS p (relid)) AS a (relid)
        WHERE a.relid = to_regclass(of_table) OR noted = crossfade.made_for(a.relid));
END;
$crossfade$;

-- Keeps a trigger function for its table: nobody may attach it to another one but its owner, and the table's, who attaches it
-- to new partitions. What default privileges or PUBLIC have been granted goes. It has the search path of who calls it, as event
-- triggers of the application fire in it.
CREATE FUNCTION crossfade.keep_function(of_function text, of_table text) RETURNS void
LANGUAGE plpgsql AS $crossfade$
DECLARE
    function CONSTANT pg_catalog.regprocedure := pg_catalog.format('crossfade.%I()', of_function)::pg_catalog.regprocedure;
    owner CONSTANT pg_catalog.oid := (SELECT p.proowner FROM pg_catalog.pg_proc AS p WHERE p.oid OPERATOR(pg_catalog.=) function);
    relation CONSTANT pg_catalog.oid := pg_catalog.to_regclass(of_table);
    table_owner CONSTANT pg_catalog.oid := (SELECT c.relowner FROM pg_catalog.pg_class AS c WHERE c.oid OPERATOR(pg_catalog.=) relation);
    grantee pg_catalog.oid;
BEGIN
    FOR grantee IN SELECT DISTINCT a.grantee FROM pg_catalog.pg_proc AS p,
            pg_catalog.aclexplode(coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) AS a
            WHERE p.oid OPERATOR(pg_catalog.=) function AND a.grantee OPERATOR(pg_catalog.<>) owner LOOP
        EXECUTE pg_catalog.format('REVOKE ALL ON FUNCTION %s FROM %s CASCADE', function,
            CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(grantee)) END);
    END LOOP;
    IF table_owner OPERATOR(pg_catalog.<>) owner THEN
        EXECUTE pg_catalog.format('GRANT EXECUTE ON FUNCTION %s TO %I', function, pg_catalog.pg_get_userbyid(table_owner));
    END IF;
    IF relation IS NOT NULL THEN
        EXECUTE pg_catalog.format('COMMENT ON FUNCTION %s IS %L', function, crossfade.made_for(relation));
    END IF;
END;
$crossfade$;

-- A trigger calls these with the rights of its function's owner, who may be another role than the owner of this schema. They
-- run with the rights of who calls them.
GRANT EXECUTE ON FUNCTION crossfade.folded(text), crossfade.without_literals(text), crossfade.gives_values(text, text[], text[]),
    crossfade.names_new_side(text, text[], text[], text[]), crossfade.fills(text), crossfade.made_for(oid),
    crossfade.is_made_for(text, text, oid), crossfade.keep_function(text, text) TO PUBLIC;

ALTER TABLE crossfade.write_sightings DROP CONSTRAINT write_sightings_side_check,
    ADD CONSTRAINT write_sightings_side_check CHECK (side IN ('old', 'new', 'untold'));

-- What runs have installed before: closed to others, and told which table it is for. Where this role may not do that, as
-- another one owns the function, the next command of that one's run that puts triggers in place does.
DO $upgrade$
DECLARE
    installed record;
    named text[];
    relation regclass;
    source text;
BEGIN
    FOR installed IN SELECT p.oid, p.proname::text AS name, p.prosrc AS source FROM pg_catalog.pg_proc AS p
            WHERE p.pronamespace = 'crossfade'::regnamespace AND p.prorettype = 'trigger'::regtype AND p.prosecdef
              AND p.prosrc ~ '\n-- crossfade: run ' AND p.proname ~ '^(sync|parent|child)_' LOOP
        named := coalesce(regexp_match(installed.source, '\n-- crossfade: run ([^,\n]+), table ([^\n]+); keeps both sides'),
            regexp_match(installed.source, '\n-- crossfade: run ([^;\n]+); keeps ([^\n]+) and ([^\n]+) in step'));
        CONTINUE WHEN named IS NULL;
        relation := to_regclass(CASE WHEN installed.name LIKE 'child%' THEN named[3] ELSE named[2] END);
        IF relation IS NULL THEN
            -- It is retired, or somebody has renamed it: it is the one that the run's triggers are on.
            SELECT min(t.tgrelid::bigint)::oid::regclass INTO relation FROM pg_trigger AS t
                WHERE t.tgfoid = installed.oid AND t.tgparentid = 0 AND t.tgname LIKE 'zz\_crossfade\_' || replace(named[1], '_', '\_') || '\__'
                HAVING count(DISTINCT t.tgrelid) = 1;
        END IF;
        CONTINUE WHEN relation IS NULL;
        source := replace(installed.source, 'current_setting(''crossfade.filling'', true) = ''on''',
            format('coalesce(current_setting(''crossfade.filling'', true), '''') = ''on'' AND crossfade.fills(%L)', named[1]));
        source := overlay(source PLACING format(E'\nBEGIN\n  IF tg_relid <> %s AND NOT crossfade.is_made_for(%L, %L, tg_relid) THEN\n'
            '    RAISE insufficient_privilege USING MESSAGE = %L;\n  END IF;\n', relation::oid, installed.name, relation::text,
            format('crossfade: the function %s is for the table %s only', installed.name, relation))
            FROM strpos(source, E'\nBEGIN\n') FOR length(E'\nBEGIN\n'));
        BEGIN
            EXECUTE replace(pg_get_functiondef(installed.oid), installed.source, source);
            PERFORM crossfade.keep_function(installed.name, relation::text);
        EXCEPTION WHEN insufficient_privilege THEN
            RAISE WARNING 'crossfade: % is of another role, which has to run `crossfade verify --repair %`', installed.name, named[1];
        END;
    END LOOP;
END;
$upgrade$;
