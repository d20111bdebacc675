// Keeps the page for use without a network. {{version}} is a hash of the page.
const NAME = "ksplat-{{version}}";

addEventListener("install", event => {
  event.waitUntil(caches.open(NAME).then(cache => cache.addAll(["./", "index.html"])).then(() => skipWaiting()));
});
addEventListener("activate", event => {
  const old = caches.keys().then(names => Promise.all(names.filter(name => name !== NAME).map(name => caches.delete(name))));
  event.waitUntil(old.then(() => clients.claim()));
});
addEventListener("fetch", event => {
  event.respondWith(caches.match(event.request, {ignoreSearch: true}).then(found => found ?? fetch(event.request)));
});
