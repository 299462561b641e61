// Changes the page's language in place: following the link would leave the photos of this tab behind.

const YEAR = 365 * 24 * 60 * 60;

for (const link of document.querySelectorAll("a[data-language]")) {
  link.addEventListener("click", (event) => {
    if (!(link instanceof HTMLAnchorElement) || !navigator.cookieEnabled) return;
    event.preventDefault();
    const secure = location.protocol === "https:" ? "; secure" : "";
    document.cookie = `unmask_language=${link.dataset.language}; path=/; max-age=${YEAR}; samesite=lax${secure}`;
    const url = new URL(location.href);
    url.searchParams.delete("lang");
    history.replaceState(history.state, "", url);
    location.reload();
  });
}
