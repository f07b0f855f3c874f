// Renews `main` every ten seconds, but not while somebody fills in a form; says so when that fails.
// What another script draws in is kept: `data-keep`.
setInterval(async () => {
  if (document.hidden || document.querySelector('details[open] form, form.confirm')) return;
  try {
    const answer = await fetch(location.href);
    if (!answer.ok) throw new Error(answer.status);
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    for (const kept of page.querySelectorAll('[data-keep]')) {
      const drawn = document.getElementById(kept.id);
      if (drawn) kept.replaceWith(drawn);
    }
    document.querySelector('main').replaceWith(page.querySelector('main'));
    document.body.classList.remove('stale');
  } catch (error) {
    document.body.classList.add('stale');
  }
}, 10000);
