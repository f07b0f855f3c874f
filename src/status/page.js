// Renews `main` every ten seconds, but not while somebody fills in a form; says so when that fails.
setInterval(async () => {
  if (document.hidden || document.querySelector('details[open] form, form.confirm')) return;
  try {
    const answer = await fetch(location.href);
    if (!answer.ok) throw new Error(answer.status);
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    document.querySelector('main').replaceWith(page.querySelector('main'));
    document.body.classList.remove('stale');
  } catch (error) {
    document.body.classList.add('stale');
  }
}, 10000);
