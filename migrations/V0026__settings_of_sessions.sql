-- What tells which version wrote reads statements with patterns that have backslashes. They mean the same in every session of the
-- application's, whatever that has set.
ALTER FUNCTION crossfade.folded(text) SET standard_conforming_strings = on;
ALTER FUNCTION crossfade.without_literals(text) SET standard_conforming_strings = on;
ALTER FUNCTION crossfade.gives_values(text, text[], text[]) SET standard_conforming_strings = on;
ALTER FUNCTION crossfade.names_new_side(text, text[], text[], text[]) SET standard_conforming_strings = on;
