//! Functions that are called by other means than their name: associated types, enums and fields that pass calls on, values
//! that say how they are awaited, and names for several ways to build.

use super::calls::check;

/// A type with an associated function that queries, and one with another that does not.
const REPOS: &str = "pub struct Users; impl Users { async fn find(id: i64) { sqlx::query!(\"SELECT 1\").fetch_one(db).await; } }
    pub struct Mem; impl Mem { async fn find(id: i64) { http().await; } }";

#[track_caller]
fn check_with(shared: &str, code: &str, expected: &[&str]) {
    check(&[("app", "", &format!("{shared}\n{code}"))], expected);
}

#[test]
fn an_associated_type_is_that_of_the_type() {
    let shared = format!(
        "{REPOS} trait HasRepo {{ type Repo; }} struct App<D>(D); impl<D> HasRepo for App<D> {{ type Repo = Users; }}
         struct Test; impl HasRepo for Test {{ type Repo = Mem; }} type R = <App<i64> as HasRepo>::Repo;"
    );
    let found = ["HasRepo::Repo::find → sqlx::query!"];
    let looped = |path: &str, owner: &str| {
        format!("{owner} {{ async fn f() {{ for x in xs {{ {path}::find(x).await; }} }} }}")
    };
    check_with(&shared, &looped("<Self as HasRepo>::Repo", "impl App<i64>"), &found);
    check_with(&shared, &looped("<App<i64> as HasRepo>::Repo", "mod a { use super::*; }  impl Test"), &found);
    check_with(&shared, &looped("<Test as HasRepo>::Repo", "impl Test"), &[]);
    check_with(&shared, &looped("<Self as HasRepo>::Repo", "impl Test"), &[]);
    check_with(&shared, &looped("R", "impl Test"), &["R::find → sqlx::query!"]);
    check_with(
        &shared,
        "async fn f(repo: &<App<i64> as HasRepo>::Repo, mem: &<Test as HasRepo>::Repo) {
             for x in xs { repo.find(x).await; mem.find(x).await; } }",
        &["repo.find → sqlx::query!"],
    );
}

#[test]
fn an_associated_type_that_is_not_known_has_the_traits_that_are_asked_of_it() {
    let shared = "trait Repo { async fn find(id: i64); } struct Users;
        impl Repo for Users { async fn find(id: i64) { sqlx::query!(\"SELECT 1\").fetch_one(db).await; } }
        trait HasRepo { type Repo: Repo; } trait HasAny { type Repo; } struct Svc<H: HasRepo> { repo: H::Repo }";
    for (code, path) in [
        ("async fn f<T: HasRepo>() { for x in xs { T::Repo::find(x).await; } }", "T::Repo::find"),
        (
            "async fn f<T: HasRepo>() { for x in xs { <T as HasRepo>::Repo::find(x).await; } }",
            "HasRepo::Repo::find",
        ),
        (
            "async fn f<T: HasAny>() where T::Repo: Repo { for x in xs { T::Repo::find(x).await; } }",
            "T::Repo::find",
        ),
        (
            "trait All: HasRepo { async fn f() { for x in xs { Self::Repo::find(x).await; } } }",
            "Self::Repo::find",
        ),
        (
            "impl<H: HasRepo> Svc<H> { async fn f(&self) { for x in xs { self.repo.find(x).await; } } }",
            "self.repo.find",
        ),
    ] {
        check_with(shared, code, &[&format!("{path} → sqlx::query!")]);
    }
    check_with(shared, "async fn f<T: HasAny>() { for x in xs { T::Repo::find(x).await; } }", &[]);
}

/// A trait that two types implement, of which one queries.
const STORES: &str = "trait Store { async fn find(&self, id: i64); } struct Pg; struct Mem;
    impl Store for Pg { async fn find(&self, id: i64) { sqlx::query!(\"SELECT 1\").fetch_one(db).await; } }
    impl Store for Mem { async fn find(&self, id: i64) { http().await; } }";

#[test]
fn a_method_of_the_trait_on_an_enum_is_that_of_the_values_in_it() {
    let looped = "async fn f(s: &Any) { for x in xs { s.find(x).await; } }";
    let found = ["s.find → sqlx::query!"];
    for any in [
        "#[enum_dispatch(Store)] enum Any { Pg(Pg), Mem(Mem) }",
        "#[enum_dispatch::enum_dispatch] enum Any { Pg, Mem }",
        "#[derive(Delegate)] #[delegate(Store)] enum Any { First(Pg) }",
        "#[derive(Delegate)] #[delegate(Store, target = \"inner\")] struct Any { name: Mem, inner: Pg }",
    ] {
        check_with(STORES, &format!("{any} {looped}"), &found);
    }
    for any in [
        "#[enum_dispatch(Store)] enum Any { Mem }",
        "enum Any { Pg(Pg) }",
        "#[derive(Delegate)] #[delegate(Store, target = \"inner\")] struct Any { name: Pg, inner: Mem }",
    ] {
        check_with(STORES, &format!("{any} {looped}"), &[]);
    }
}

#[test]
fn what_delegate_makes_calls_the_field() {
    let outer = |methods: &str| {
        format!(
            "struct Outer {{ inner: Pg }} impl Outer {{ delegate::delegate! {{ to self.inner {{ {methods} }} }} }}"
        )
    };
    let looped = |name: &str| format!("async fn f(s: &Outer) {{ for x in xs {{ s.{name}(x).await; }} }}");
    let same = outer("/// Finds.\n pub async fn find(&self, id: i64);");
    check_with(STORES, &(same + &looped("find")), &["s.find → self.inner.find → sqlx::query!"]);
    let other = outer("#[expr($.ok())] #[call(find)] async fn load(&self, id: i64); fn len(&self) -> usize;");
    check_with(STORES, &(other + &looped("load")), &["s.load → self.inner.find → sqlx::query!"]);
}

#[test]
fn a_value_may_say_how_it_is_awaited() {
    let shared = "pub struct Find { id: i64 } impl Find { fn new() -> Self { Find { id: 0 } } fn id(self) -> Self { self } }
        impl IntoFuture for Find { type Output = i64; type IntoFuture = BoxFuture<'static, i64>;
            fn into_future(self) -> Self::IntoFuture { Box::pin(async move { sqlx::query!(\"SELECT 1\").fetch_one(db).await }) } }
        fn make() -> Find { Find::new() } async fn later() -> Find { Find::new() } fn any() -> impl IntoFuture { Find::new() }";
    for value in
        ["Find::new().id()", "Find { id: x }", "make()", "any()", "made", "Find::new().into_future()"]
    {
        let code = format!("async fn f(made: Find) {{ for x in xs {{ {value}.await; }} }}");
        let found = match value {
            "Find::new().id()" | "Find::new().into_future()" => value.trim_end_matches("()"),
            "make()" => "make",
            "any()" => "any",
            value => value,
        };
        check_with(shared, &code, &[&format!("{found} → sqlx::query!")]);
    }
    // What is not awaited runs nothing, and neither does a future of such a value.
    check_with(shared, "async fn f() { for x in xs { let find = Find::new().id(); later().await; } }", &[]);
}

#[test]
fn all_that_an_import_stands_for_in_some_build_may_be_called() {
    let modules = "mod a { pub async fn load(id: i64) { http().await; } }
        mod b { pub async fn load(id: i64) { sqlx::query!(\"SELECT 1\").fetch_one(db).await; } }";
    for (first, second) in [("a", "b"), ("b", "a")] {
        let uses = |path: &str| format!("#[cfg(x)] use {first}{path}; #[cfg(not(x))] use {second}{path};");
        let code = uses("::load") + "async fn f() { for x in xs { load(x).await; } }";
        check_with(modules, &code, &["load → sqlx::query!"]);
        let code = uses(" as store") + "async fn f() { for x in xs { store::load(x).await; } }";
        check_with(modules, &code, &["store::load → sqlx::query!"]);
    }
}

#[test]
fn a_raw_name_is_the_same_as_the_plain_one() {
    let query = "{ sqlx::query!(\"SELECT 1\").fetch_one(db).await; }";
    for (items, call) in [
        ("async fn r#match(id: i64) Q", "r#match(x)"),
        ("async fn load(id: i64) Q", "r#load(x)"),
        ("async fn r#load(id: i64) Q", "load(x)"),
        ("mod r#type { pub async fn find(id: i64) Q }", "r#type::find(x)"),
        ("mod r#type { pub async fn find(id: i64) Q } use r#type::find as r#use;", "r#use(x)"),
        ("struct r#Foo; impl Foo { async fn r#try(id: i64) Q }", "r#Foo::r#try(x)"),
    ] {
        let source =
            format!("{} async fn f() {{ for x in xs {{ {call}.await; }} }}", items.replace('Q', query));
        let plain = call.replace("r#", "");
        check_with("", &source, &[&format!("{} → sqlx::query!", plain.trim_end_matches("(x)"))]);
        // The bodies are not left out.
        let left = crate::rust::lex::relevant::relevant(&[&source]).remove(0);
        assert!(left.contains(call), "{left}");
    }
}

#[test]
fn a_closure_that_is_given_to_a_cache_runs_where_that_has_nothing() {
    let load = "async fn load(id: i64) { sqlx::query!(\"SELECT 1\").fetch_one(db).await; } struct Names { map: Mutex<HashMap<i64, String>> }";
    let looped = "async fn f(c: &Names) { for x in xs { c.get_or_fetch(x, || load(x)).await; } }";
    let cache = |body: &str| {
        format!(
            "impl Names {{ async fn get_or_fetch<F: AsyncFnOnce() -> String>(&self, id: i64, f: F) -> String {{ {body} }} }}"
        )
    };
    let keeps = "if let Some(v) = self.map.lock().get(&id) { return v.clone(); } let v = f().await; self.map.lock().insert(id, v.clone()); v";
    check_with(load, &(cache(keeps) + looped), &[]);
    // What only has the name of a cache asks each time.
    check_with(load, &(cache("f().await") + looped), &["load → sqlx::query!"]);
    let within =
        "async fn f(c: &Names) { c.get_or_fetch(1, async || { for x in xs { load(x).await; } }).await; }";
    check_with(load, &(cache("f().await") + within), &["load → sqlx::query!"]);
}

#[test]
fn each_turn_on_a_database_of_its_own_is_no_repetition() {
    let load = "struct Shard { pool: PgPool, id: i64 } struct Tenant { pool: PgPool, names: Vec<i64> } struct App { pools: HashMap<String, PgPool>, id: i64 }
        impl Tenant { fn db(&self) -> &PgPool { &self.pool } }
        async fn load(db: &PgPool, id: i64) { sqlx::query!(\"SELECT 1\").fetch_one(db).await; }";
    for code in [
        "async fn f(pools: Vec<PgPool>) { for db in pools { load(&db, 1).await; } }",
        "async fn f(shards: &[Shard]) { for shard in shards { load(&shard.pool, 1).await; } }",
        "async fn f(all: Vec<Shard>) { for it in all.iter() { load(&it.pool, 1).await; } }",
        "async fn f(tenants: &[Tenant]) { for t in tenants { load(t.db(), 1).await; } }",
        "async fn f(app: &App, names: Vec<String>) { for name in names { load(&app.pools[&name], 1).await; } }",
        "impl App { async fn f(&self, names: Vec<String>) { for name in names { load(&self.pools[&name], 1).await; } } }",
    ] {
        check_with(load, code, &[]);
    }
    for code in [
        "async fn f(db: &PgPool, shards: &[Shard]) { for shard in shards { load(db, shard.id).await; } }",
        "async fn f(app: &App, ids: &[i64]) { for id in ids { load(&app.pools[&app.id], *id).await; } }",
        "async fn f(shards: &[Shard], ids: &[i64]) { for shard in shards { for id in ids { load(&shard.pool, *id).await; } } }",
    ] {
        check_with(load, code, &["load → sqlx::query!"]);
    }
}
