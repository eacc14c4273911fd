export const said = 'imported'
