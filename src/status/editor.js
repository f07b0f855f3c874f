// A fault of the configuration leads to its line in the text; after an applied change the page comes
// back once the gateway serves it again.
const back = document.querySelector('a[data-return]');
if (back) {
  setInterval(async () => {
    try {
      if ((await fetch('/healthz')).ok) location.href = back.href;
    } catch (error) {
      // Not yet.
    }
  }, 2000);
}
document.addEventListener('click', (event) => {
  const link = event.target.closest('a[data-line]');
  const field = document.querySelector('.editor textarea');
  if (!link || !field) return;
  event.preventDefault();
  const lines = field.value.split('\n');
  const line = Number(link.dataset.line) - 1;
  const start = lines.slice(0, line).reduce((sum, text) => sum + text.length + 1, 0);
  field.focus();
  field.setSelectionRange(start, start + (lines[line] || '').length);
  field.scrollTop = (field.scrollHeight / lines.length) * Math.max(0, line - 6);
});
