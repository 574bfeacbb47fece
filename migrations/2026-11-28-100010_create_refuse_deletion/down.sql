DROP FUNCTION refuse_deletion();
