-- What tells which version wrote reads a name in the notation U&"…" like one in quotation marks, if there is no escape in it. With one
-- it cannot tell.
DO $upgrade$
DECLARE
    changed text;
    change record;
BEGIN
    FOR change IN SELECT * FROM (VALUES
        ('crossfade.without_literals(text)',
         '    RETURN bare;',
         $new$    bare := regexp_replace(bare, $re$\mu&(?="(?:[^"\\]|"")*")$re$, '', 'gi');
    IF bare ~* $re$\mu&"$re$ THEN
        RETURN NULL;
    END IF;
    RETURN bare;$new$),
        ('crossfade.names_new_side(text, text[], text[], text[])',
         $old$translate(bare, '''-/$', '') = bare$old$,
         $new$translate(bare, '''-/$&', '') = bare$new$)) AS c (of_function, was, becomes) LOOP
        changed := replace(pg_get_functiondef(change.of_function::regprocedure), change.was, change.becomes);
        IF strpos(changed, change.becomes) = 0 THEN
            RAISE EXCEPTION 'crossfade: % is not as this upgrade expects it', change.of_function;
        END IF;
        EXECUTE changed;
    END LOOP;
END;
$upgrade$;
