-- What this plan runs, phase by phase, and what undoes each step: as `crossfade explain` shows it.
-- Written by a test (tests/integration/golden.rs). $1, $2 …: the bounds of a batch.


-- ======== expand

-- alias_table:public.acknowledgments
ALTER TABLE public.acknowledgments RENAME TO delivery_proofs;
CREATE VIEW public.acknowledgments WITH (security_invoker = true) AS SELECT shipment_id, signature_url, photo_url, captured_at
  FROM public.delivery_proofs;
-- undo:
DROP VIEW public.acknowledgments;
ALTER TABLE public.delivery_proofs RENAME TO acknowledgments;


-- ======== switch_reads


-- ======== contract

-- drop_alias:public.acknowledgments
DROP VIEW public.acknowledgments;
-- cannot be undone
