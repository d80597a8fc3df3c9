//! Caches that are read first and filled after a miss.

use super::*;

#[track_caller]
fn check(function: &str, expected: bool) {
    let function: syn::ItemFn = syn::parse_str(function).expect("a function");
    let names = Names::of_block(&function.block);
    assert_eq!(
        reads_through(&function.attrs, Some(&function.block), &names),
        expected,
        "{}",
        quote::quote!(#function)
    );
}

#[test]
fn a_cache_is_asked_first_and_filled_after() {
    check(
        "fn f() { if let Some(v) = C.read().get(&k) { return v.clone(); } let v = q(); C.write().insert(k, v); v }",
        true,
    );
    check(
        "fn f(&self) { { let m = self.m.lock(); if let Some(v) = m.get(&k) { return 1; } } self.m.lock().insert(k, 1); }",
        true,
    );
    check("#[cached] fn f() { q() }", true);
    check(
        "fn f(&self) { if let Some(v) = self.v.read().await.as_ref() { return v.clone(); } let v = q(); *self.v.write().await = Some(v); v }",
        true,
    );
    check(
        "fn f() { match c.get(&k).await { Some(v) => v, None => { let v = q(); c.insert(k, v); v } } }",
        true,
    );
    check("fn f() { if c.contains_key(&k) { 1 } else { let v = q(); c.insert(k, v); v } }", true);
    check(
        "fn f(&self) { match self.m.entry(k) { Entry::Occupied(e) => e.get(), Entry::Vacant(e) => e.insert(q()) } }",
        true,
    );
    check(
        "fn f() { if let Some(v) = redis.get(&k).await? { return v; } let v = q(); redis.set_ex(&k, &v, 60).await; v }",
        true,
    );
    check(
        "fn f(m: &mut Map) { let e = match m.entry(k) { Entry::Occupied(e) => return e.get(), Entry::Vacant(e) => e }; e.insert(q()) }",
        true,
    );
    check(
        "fn f(&mut self) { if let Some(me) = &self.me { return me.clone(); } let me = q(); self.me = Some(me.clone()); me }",
        true,
    );
    check(
        "fn f(&self) { let cached = { let m = self.m.read().await; m.get(&k).cloned() }; match cached { Some(v) => v, None => { let v = q().await; self.m.write().await.insert(k, v); v } } }",
        true,
    );
    check(
        "fn f(&self) { let cached = self.m.get(&k).cloned(); if let Some(v) = cached { return v; } let v = q(); self.m.insert(k, v); v }",
        true,
    );
    check(
        "fn f(&self) { if let Some(v) = self.m.get(&k) { return v.clone(); } let v = q(); self.m.entry(k).or_insert(v) }",
        true,
    );
    check(
        "fn f(&self) { let hit = self.m.read().await.get(&k).cloned(); let v = if let Some(v) = hit { v } else { let v = q().fetch_one(db).await; self.m.write().await.insert(k, v); v }; v }",
        true,
    );
    check(
        "fn f(&self) { let hit = self.m.read().unwrap().get(&k).map(|v| v.to_owned()); let Some(v) = hit else { let v = q(); self.m.write().unwrap().insert(k, v); return v; }; v }",
        true,
    );
    check(
        "fn f(&self) { if let Some((at, v)) = self.m.read().await.get(&k) { if at.elapsed() < TTL { return v.clone(); } } let v = q(); self.m.write().await.insert(k, (now(), v)); v }",
        true,
    );
    check(
        "fn f(&self) { match self.m.read().await.get(&k) { Some((at, v)) if at.elapsed() < TTL => return v.clone(), _ => {} } let v = q(); self.m.write().await.insert(k, (now(), v)); v }",
        true,
    );
    check(
        "fn f(&self) { if let Ok(m) = self.m.lock() && let Some(v) = m.get(&k) { return v.clone(); } let v = q(); if let Ok(mut m) = self.m.lock() { m.insert(k, v); } v }",
        true,
    );
    check(
        "fn f(&self) { if self.m.contains_key(&k) { return self.m.get(&k).unwrap(); } let v = q(); self.m.insert(k, v); v }",
        true,
    );
    check(
        "fn f() { if let Some(v) = K.with_borrow(|m| m.get(&k).cloned()) { return v; } let v = q(); K.with_borrow_mut(|m| m.insert(k, v)); v }",
        true,
    );
    check(
        "fn f(&self) { let mut r = self.redis.clone(); let hit: Option<String> = r.get(&key).await?; if let Some(v) = hit { return v; } let v = q(); r.set_ex(&key, &v, 60).await?; v }",
        true,
    );
    check(
        "fn f(&self) { let mut r = self.redis.get().await?; if let Ok(Some(v)) = r.get::<_, Option<String>>(&key).await { return v; } let v = q(); let _: () = r.set_ex(&key, &v, 60).await?; v }",
        true,
    );
    check(
        "fn f(r: &mut C) { let hit: Option<String> = redis::cmd(\"GET\").arg(&key).query_async(r).await?; if let Some(v) = hit { return v; } let v = q(); redis::cmd(\"SETEX\").arg(&key).arg(60).arg(&v).query_async(r).await?; v }",
        true,
    );
    check(
        "fn f(&self) { let mut cached = self.token.lock().await; if let Some(t) = cached.as_ref() { return t.clone(); } let fresh = q(); *cached = Some(fresh.clone()); fresh }",
        true,
    );
    check(
        "fn f(&self) { if let Some((at, v)) = self.cell.read().await.as_ref() { if at.elapsed() < TTL { return v.clone(); } } let v = q(); *self.cell.write().await = Some((now(), v.clone())); v }",
        true,
    );
    check(
        "fn f(&self) { if let Some(v) = self.swap.load_full() { return v; } let v = Arc::new(q()); self.swap.store(Some(v.clone())); v }",
        true,
    );
    check(
        "fn f(&self) { let cached = self.m.get(&k); match cached { Some(v) => return Ok(v), None => log() } let v = q(); self.m.insert(k, v); v }",
        true,
    );
    check(
        "fn f(&self) { let e = self.names.fetch(k, || async move { q().fetch_one(db).await }).await; e }",
        true,
    );
    check("fn f(cache: &Cache) { cache.get_with(k, async { q() }).await }", true);
    check("fn f(&self) { self.cell.get_or_try_init(|| q().fetch_one(db)).await }", true);
    check("fn f() { static C: OnceCell<i64> = OnceCell::new(); C.get_or_init(|| q()).await }", true);
}

#[test]
fn a_map_that_is_only_filled_or_only_asked_is_none() {
    check("fn f() { let v = q(); seen.insert(k, v); }", false);
    check("fn f(v: Option<i64>) { if let Some(v) = v { return v; } v = Some(q()); }", false);
    check("fn f() { let cell = OnceCell::new(); cell.get_or_init(|| q()).await }", false);
    check("fn f(&self) { self.cell.get_or_init(|| q()).await; q().fetch_one(db).await }", false);
    check(
        "fn f(&self) { let old = self.m.get(&k); match old { Some(v) => q(v).await, None => { self.m.insert(k, 1); 1 } } }",
        false,
    );
    check("fn f(&self) { if let Some(v) = &self.v { return v.clone(); } q() }", false);
    check("fn f() { if let Some(v) = known.get(&k) { return 1; } q() }", false);
    check(
        "fn f() { let mut m = HashMap::new(); match m.get(&k) { Some(v) => v, None => { m.insert(k, q()); 1 } } }",
        false,
    );
    check(
        "fn f() { match c.get(&k) { Some(v) => v, None => { c.insert(k, 1); 1 } }; q().fetch_one(db).await }",
        false,
    );
    check("fn f() { if let Some(v) = known.get(&k) { return 1; } other.insert(k, q()); }", false);
    check(
        "fn f(&self) { let hit = self.m.get(&k).cloned(); if let Some(v) = hit { return v; } let v = q(); self.other.insert(k, v); v }",
        false,
    );
    check(
        "fn f(&self) { if let Some(v) = self.m.get(&k) { log(v); } let v = q(); self.m.insert(k, v); v }",
        false,
    );
    check(
        "fn f(r: &mut C) { let hit: Option<String> = redis::cmd(\"GET\").arg(&key).query_async(r).await?; if let Some(v) = hit { return v; } q() }",
        false,
    );
}
