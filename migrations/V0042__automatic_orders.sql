-- Nobody asked for it now: a server ordered what the plan says. A comparison of this kind gives way to what somebody orders.
ALTER TABLE crossfade.orders ADD COLUMN automatic boolean NOT NULL DEFAULT false;
