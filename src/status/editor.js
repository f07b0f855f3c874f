// A fault of the configuration leads to its line in the text.
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
